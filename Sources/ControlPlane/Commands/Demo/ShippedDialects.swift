/// The dialect files that ship in `config/dialects`, for the demo, which has no files. A test holds them to the files.
enum ShippedDialects {
    static let all = [("jitsudo", jitsudo), ("rinne", rinne)]

    static let jitsudo = #"""
        # How JITSudo's user API speaks about its users. A suspension stands on the tenant's user.
        name: jitsudo
        tenant: required
        tenant_format: uuid
        reach: tenant
        errors: flat
        id_format: uuid
        user: {id: /id, suspended: {field: /active, is: false}}
        # Whom an identity provider means by an address; read and kept only where a credential block goes by it.
        aliases: {email: {field: /email, if: /email_verified, fold: case}}
        calls:
          - {call: "POST /v1/users/{user}/suspend", answers: user, intent: {field: /active, suspend: false}}
          # From its guides, not its reference: likely, not certain.
          - {call: "GET /v1/users/{user}", answers: user}

        """#

    static let rinne = #"""
        # How Rinne's core API speaks about users. A suspension stands on the user, in every company.
        name: rinne
        tenant: optional
        tenant_format: string
        reach: directory
        errors: nested
        id_format: string
        user: {id: /id, suspended: {field: /suspended_at, is: date-time}}
        calls:
          - {call: "POST /core/v1/users/{user}/suspend", answers: user, intent: suspend}
          - {call: "POST /core/v1/users/{user}/activate", answers: user, intent: activate}
          - {call: "GET /core/v1/users/{user}", answers: user}
          - {call: "GET /core/v1/users", answers: list, items: /data, more: /pagination/hasNext, page: page, total: /pagination/total,
             query: limit=100}
          # `total`: a list that ends before is not taken for the whole. `query`: asked for by the gateway's own requests.

        """#
}
