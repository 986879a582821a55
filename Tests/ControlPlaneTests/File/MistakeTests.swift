import Testing

@testable import ControlPlane

/// One change to the good file. `^` in `to` marks the place that the problem must name.
struct Mistake: Sendable, CustomTestStringConvertible {
    let from: String
    let to: String
    let says: String
    let fix: String
    var severity = Problem.Severity.error

    init(_ from: String, _ to: String, _ says: String, fix: String = "", _ severity: Problem.Severity = .error) {
        self.from = from
        self.to = to
        self.says = says
        self.fix = fix
        self.severity = severity
    }

    var testDescription: String { "\(to.prefix(60)): \(says)" }
}

private let jitsudoRoute = "- {path: /v1/**, upstream: jitsudo}"
private let suspendRoute = "- {path: \"/v1/users/{user}/suspend\", methods: [POST], upstream: jitsudo, require: upstream}"
private let loginRoute = "- {path: /login, upstream: login, credential: none}"
private let keysLine = "    keys: {secret_file: secrets/jitsudo.secret}"
private let hs256Keys = "    algorithms: [HS256]\n" + keysLine

/// The same entry with fetched keys, for an algorithm that has public ones.
private func fetched(_ keys: String) -> String { "    algorithms: [RS256]\n    keys: {\(keys)}" }

private let syntax: [Mistake] = [
    Mistake("version: 1", "version: 1\n^\tx: 1", "not YAML"),
    Mistake("limits: {token: 8KiB}", "limits: {token: 8KiB", "not YAML"),
    Mistake("version: 1", "^&a version: 1", "anchors"),
    Mistake("limits: {token: 8KiB}", "limits: ^&a {token: 8KiB}", "anchors", fix: "write the value out"),
    Mistake("limits: {token: 8KiB}", "limits: ^*a", "alias"),
    Mistake("limits: {token: 8KiB}", "limits: {token: ^!!str 8KiB}", "tags", fix: "remove the tag"),
    Mistake("limits: {token: 8KiB}", "limits: {^<<: {token: 8KiB}}", "merge keys"),
    Mistake("limits: {token: 8KiB}", "limits: {token: 8KiB, ^token: 4KiB}", "`token` is given twice, first on line 32"),
    Mistake("limits: {token: 8KiB}", "limits: {token: 8KiB, ^\"token\": 4KiB}", "`token` is given twice"),
    Mistake("limits: {token: 8KiB}", "limits: {token: 8KiB}\n^limits: {}", "`limits` is given twice"),
    Mistake("limits: {token: 8KiB}", "limits: {^[a]: 8KiB}", "a key must be a plain word"),
    Mistake("limits: {token: 8KiB}", "^---\n{}", "not one YAML document"),
]

private let keys: [Mistake] = [
    Mistake("limits:", "^limit:", "unknown key `limit`", fix: "did you mean `limits`?"),
    Mistake("limits: {token", "limits: {^tokn", "unknown key `tokn`", fix: "did you mean `token`?"),
    Mistake("limits: {token", "limits: {^colour", "unknown key `colour`", fix: "known here: token"),
    Mistake("upstream: login, credential", "upstream: login, ^credentials", "unknown key `credentials`", fix: "did you mean `credential`?"),
    Mistake("version: 1", "version: ^2", "2 is out of bounds", fix: "1"),
    Mistake("version: 1\n", "^", "`version` is missing"),
    Mistake("    algorithms: [HS256]\n    keys: {secret_file: secrets/jitsudo.secret}", keysLine, "`algorithms` is missing"),
    Mistake("limits: {token: 8KiB}", "^reload: {}", "`reload` is not supported by this version"),
    Mistake("limits: {token: 8KiB}", "fleet: ^{}", "`database` is missing here"),
    Mistake("limits: {token: 8KiB}", "fleet: {^database: host=db password=x}", "that is no URI of PostgreSQL", fix: "postgresql://"),
    Mistake("limits: {token: 8KiB}", "fleet: {^database: \"postgresql://%zz@db/\"}", "that is no URI of PostgreSQL"),
    Mistake(
        "limits: {token: 8KiB}", "fleet: {^database: \"postgresql://u:wonderland@db/t\"}", "the password stands in the file",
        fix: "password_file", .warning),
    Mistake(
        "limits: {token: 8KiB}",
        "fleet: {^database: \"postgresql://u:wonderland@db/t\", password_file: secrets/rinne.secret}", "is here and in `password_file`"),
    Mistake(
        "limits: {token: 8KiB}", "fleet: {database: postgresql://db/t, password_file: ^secrets/none}", "does not exist"),
    Mistake(
        "limits: {token: 8KiB}", "fleet: {database: postgresql://db/t, acknowledge: ^al}", "expected one of", fix: "did you mean `all`?"),
    Mistake("limits: {token: 8KiB}", "fleet: {database: postgresql://db/t, when_behind: {after: ^0s}}", "out of bounds"),
    Mistake(
        loginRoute, "- {path: /login, upstream: login, credential: none, cors: {origins: [https://a.example]}, ^token_from: subprotocol}",
        "no token is looked for here"),
    Mistake("{path: /v1/**, upstream: jitsudo}", "{path: /v1/**, upstream: jitsudo, ^token_from: subprotocol}", "no origins are listed"),
    Mistake(keysLine, keysLine + "\n    claims: {user: {^alias: mail, claim: [email]}}", "declares no alias `mail`", fix: "`email`?"),
    Mistake(keysLine, keysLine + "\n    claims: {user: ^sub}", "expected a claim path", fix: "write `[sub]`"),
]

private let limitsLine = "limits: {token: 8KiB}"
private let opsToken = "{name: ops, role: operator, file: secrets/admin.token}"

/// `admin:` in the place of `limits:`.
private func admin(_ members: String) -> String { "admin: {\(members)}" }

private let admins: [Mistake] = [
    Mistake(limitsLine, "admin: ^{address: 127.0.0.1:9901}", "`tokens` is missing"),
    Mistake(limitsLine, admin("^tokns: [\(opsToken)], address: 127.0.0.1:9901"), "unknown key `tokns`", fix: "did you mean `tokens`?"),
    Mistake(limitsLine, admin("address: 127.0.0.1:9901, tokens: ^[]"), "the list is empty"),
    Mistake(
        limitsLine, admin("^address: 0.0.0.0:9901, tokens: [\(opsToken)]"), "tokens would pass 0.0.0.0:9901 unencrypted",
        fix: "or add `tls:`"),
    Mistake(limitsLine, admin("^address: \"[::]:9901\", tokens: [\(opsToken)]"), "unencrypted", fix: "listen on 127.0.0.1"),
    Mistake(limitsLine, admin("address: ^127.0.0.1:9900, tokens: [\(opsToken)]"), "listened on twice"),
    Mistake(limitsLine, admin("address: 127.0.0.1:9901, ^mode: \"0600\", tokens: [\(opsToken)]"), "only Unix sockets have a mode"),
    Mistake(limitsLine, admin("address: 127.0.0.1:9901, ^hosts: [\"*\"], tokens: [\(opsToken)]"), "pages of anybody could ask here"),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [{name: ops, role: ^admin, file: secrets/admin.token}]"),
        "expected one of `viewer`, `operator`"),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [{name: ops, role: operator, file: ^secrets/none}]"),
        "secrets/none does not exist"),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [{name: ops, role: operator, ^file: secrets/short}]"),
        "doesn't hold a token of 32…1024", fix: "openssl rand -hex 32 > "),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [\(opsToken), {^name: ops, role: viewer, file: secrets/rinne.secret}]"),
        "two tokens have the name `ops`"),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [\(opsToken), {name: eyes, role: viewer, ^file: secrets/rinne.secret}]"),
        "`eyes` has the same token as `ops`"),
    Mistake(
        limitsLine, admin("address: 127.0.0.1:9901, tokens: [{name: ops, role: operator, file: ^secrets/open}]"),
        "can be read by every user", fix: "chmod", .warning),
]

private let values: [Mistake] = [
    Mistake("version: 1", "version: ^\"1\"", "expected a whole number"),
    Mistake("address: 127.0.0.1:8443", "address: ^localhost:8443", "expected a numeric address"),
    Mistake("address: 127.0.0.1:8443", "address: ^127.0.0.1:99999", "expected a numeric address"),
    Mistake("address: 127.0.0.1:8443", "address: ^8443", "found the number 8443"),
    Mistake("probes: {address: 127.0.0.1:9900}", "probes: {address: ^127.0.0.1:8443}", "listened on twice, first on line 3"),
    Mistake("probes: {address: 127.0.0.1:9900}", "probes: ^on", "expected a map"),
    Mistake("ledger: sqlite:var/tenantgate.db", "ledger: ^var/tenantgate.db", "expected sqlite:PATH"),
    Mistake("ledger: sqlite:var/tenantgate.db", "ledger: ^sqlite:nowhere/tenantgate.db", "nowhere does not exist", fix: "mkdir -p"),
    Mistake("ledger: sqlite:var/tenantgate.db", "ledger: ^sqlite:var", "is a folder"),
    Mistake("chain: tls/gateway.pem", "chain: ^tls/gatewy.pem", "tls/gatewy.pem does not exist"),
    Mistake("chain: tls/gateway.pem", "chain: ^tls", "is not a file"),
    Mistake("tls:\n      certificates:\n        - {chain: tls/gateway.pem, key: tls/gateway.key}", "tls: ^on", "expected a map or `off`"),
    Mistake("certificates:", "minimum: ^\"1.1\"\n      certificates:", "expected \"1.2\" or \"1.3\""),
    Mistake("dialect: dialects/rinne.yaml", "dialect: ^dialects/rine.yaml", "does not exist"),
    Mistake("dialect: dialects/rinne.yaml", "dialect: dialects/rinne.yaml, ^id_format: uuid", "is the dialect's to say"),
    Mistake(
        "  rinne: {dialect: dialects/rinne.yaml}", "  rinne: {dialect: dialects/rinne.yaml}\n  ^\"a b\": {id_format: string}",
        "can't be a name"),
    Mistake("limits: {token: 8KiB}", "limits: {token: ^8KB}", "expected a size", fix: "KiB"),
    Mistake("limits: {token: 8KiB}", "limits: {token: ^128KiB}", "128KiB is out of bounds", fix: "64KiB"),
    Mistake("limits: {token: 8KiB}", "limits: {^token: 32KiB}", "doesn't fit in a head"),
    Mistake("limits: {token: 8KiB}", "limits: {connections: 10, ^connections_per_source: 11}", "more connections than all"),
    Mistake("limits: {token: 8KiB}", "timeouts: {idle: ^30}", "expected a duration", fix: "`30s`"),
    Mistake("limits: {token: 8KiB}", "timeouts: {idle: ^2h}", "2h is out of bounds"),
    Mistake("limits: {token: 8KiB}", "timeouts: {idle: ^1.5m}", "expected a duration"),
    Mistake("limits: {token: 8KiB}", "trusted_proxies: [^10.0.0.1/8]", "bits set after its first 8"),
    Mistake("limits: {token: 8KiB}", "trusted_proxies: [^internal]", "expected a network"),
    Mistake("limits: {token: 8KiB}", "trusted_proxies: [^10.0.0.0/33]", "prefix length"),
    Mistake("limits: {token: 8KiB}", "trusted_proxies: ^10.0.0.0/8", "expected a list", fix: "write `[10.0.0.0/8]`"),
    Mistake("limits: {token: 8KiB}", "threads: ^0", "0 is out of bounds"),
    Mistake("limits: {token: 8KiB}", "threads: ^two", "expected a whole number"),
    Mistake("limits: {token: 8KiB}", "errors: ^nestd", "expected one of", fix: "did you mean `nested`?"),
    Mistake("limits: {token: 8KiB}", "log: {users: ^clear}", "expected one of `hashed`, `plain`"),
    Mistake("limits: {token: 8KiB}", "log: ^nowhere/access.log", "nowhere does not exist"),
]

private let credentials: [Mistake] = [
    Mistake(
        "issuer: https://id.jitsudo.example\n    directory: jitsudo", "issuer: https://id.jitsudo.example\n    directory: ^jitsud",
        "no directory `jitsud`", fix: "did you mean `jitsudo`?"),
    Mistake("issuer: https://id.jitsudo.example", "issuer:^", "expected an issuer"),
    Mistake("audience: [user-api]", "audience: ^user-api", "expected `any`", fix: "any"),
    Mistake("audience: [user-api]", "audience: ^[]", "the list is empty"),
    Mistake("audience: [user-api]", "audience: [^42]", "found the number 42", fix: "\"42\""),
    Mistake("audience: [user-api]\n    algorithms: [HS256]", "audience: [user-api]\n    algorithms: [^none]", "expected one of"),
    Mistake(
        "audience: [user-api]\n    algorithms: [HS256]", "audience: [user-api]\n    algorithms: [^hs256]", "expected one of",
        fix: "did you mean `HS256`?"),
    Mistake(
        "audience: [user-api]\n    algorithms: [HS256]", "audience: [user-api]\n    ^algorithms: [HS256, RS256]",
        "no key of this entry serves RS256", .warning),
    Mistake(keysLine, "    keys: {secret_file: ^secrets/none}", "does not exist"),
    Mistake(keysLine, "    keys: ^{}", "no source of keys"),
    Mistake(keysLine, "    keys: ^{secret_file: secrets/jitsudo.secret, pem_file: tls/reports.pub.pem}", "are both given"),
    Mistake(keysLine, "    keys: {secret_file: ^tls/reports.pub.pem}", "holds a PEM", fix: "pem_file"),
    Mistake(keysLine, "    keys: {pem_file: ^tls/reports.pub.pem}", "serves none of the allowed algorithms"),
    Mistake(keysLine, "    keys: {secret_file: ^secrets/short}", "the secret has 5 bytes", fix: "openssl rand"),
    Mistake(keysLine, "    keys: {secret_file: ^secrets/short, encoding: hex}", "not hex", fix: "encoding"),
    Mistake(keysLine, "    keys: {jwks_file: ^secrets/short}", "not strict JSON"),
    Mistake(keysLine, "    keys: {pem_file: ^secrets/private.pem}", "a private key", fix: "-pubout"),
    Mistake(keysLine, "    keys: {secret_file: ^secrets/open}", "can be read by every user", fix: "chmod", .warning),
    Mistake(keysLine, "    keys: {jwks_url: ^\"http://id.example/keys\"}", "is not fetched: only https"),
    Mistake(keysLine, "    keys: {jwks_url: ^id.example/keys}", "is not fetched: it is no absolute URL"),
    Mistake(keysLine, "    keys: {jwks_url: ^\"https://me:pw@id.example/keys\"}", "is not fetched: it is no absolute URL"),
    Mistake(keysLine, "    keys: ^{jwks_url: \"https://id.example/keys\"}", "HS256 needs a secret, and secrets are not fetched"),
    Mistake(keysLine, "    keys: {discovery: ^false}", "`discovery: false` is no source"),
    Mistake(keysLine, "    keys: ^{jwks_url: \"https://id.example/keys\", discovery: true}", "jwks_url and discovery are both given"),
    Mistake(hs256Keys, fetched("jwks_url: \"https://id.example/keys\", ^max_stale: 1m"), "`max_stale` is shorter than `refresh`"),
    Mistake(hs256Keys, fetched("jwks_url: \"https://id.example/keys\", refresh: ^2h"), "2h is out of bounds"),
    Mistake(hs256Keys, fetched("jwks_url: \"https://id.example/keys\", ca_file: ^tls/none.pem"), "does not exist"),
    Mistake(keysLine, "    keys: {secret_file: secrets/jitsudo.secret, ^refresh: 1m}", "`refresh` is for keys that are fetched"),
    Mistake(keysLine, keysLine + "\n    claims: {tenant: ^org.id}", "expected a claim path", fix: "[org, id]"),
    Mistake(keysLine, keysLine + "\n    tenants: [^acme]", "`acme` is not a tenant id", fix: "uuid"),
    Mistake(keysLine, keysLine + "\n    leeway: ^10m", "10m is out of bounds"),
    Mistake(
        "issuer: absent\n    directory: rinne", "issuer: ^https://id.jitsudo.example\n    directory: jitsudo",
        "has the issuer https://id.jitsudo.example twice, first on line 13"),
]

private func cors(_ keys: String) -> String {
    "- {path: /login, methods: [GET], upstream: login, credential: none, cors: \(keys)}"
}

private let crossOrigin: [Mistake] = [
    Mistake(loginRoute, cors("^{}"), "`origins` is missing"),
    Mistake(loginRoute, cors("{origins: ^[]}"), "the list is empty"),
    Mistake(loginRoute, cors("{origins: ^https://app.example}"), "expected a list", fix: "[https://app.example]"),
    Mistake(loginRoute, cors("{origins: [^https://app.example/]}"), "is no origin", fix: "without a path"),
    Mistake(loginRoute, cors("{origins: [^HTTPS://app.example:443]}"), "never match", fix: "`https://app.example`"),
    Mistake(loginRoute, cors("{origins: [^\"https://*.app.example\"]}"), "is no origin", fix: "patterns"),
    Mistake(loginRoute, cors("{origins: [^\"null\"]}"), "every sandboxed page"),
    Mistake(loginRoute, cors("{^origins: [\"*\", \"https://app.example\"]}"), "`*` beside other origins"),
    Mistake(loginRoute, cors("{origins: [^\"*\"], credentials: true}"), "let every page act"),
    Mistake(loginRoute, cors("{origins: [\"https://app.example\"], ^methods: [GET, PUT]}"), "doesn't take PUT"),
    Mistake(loginRoute, cors("{origins: [\"https://app.example\"], headers: [^\"X-A, X-B\"]}"), "expected a header name"),
    Mistake(loginRoute, cors("{origins: [\"https://app.example\"], expose: [^\"*\"]}"), "expected a header name"),
    Mistake(loginRoute, cors("{origins: [\"https://app.example\"], max_age: ^48h}"), "48h is out of bounds"),
    Mistake(
        jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, cors: {origins: [\"https://app.example\"], ^credentials: true}}",
        "browsers will send cookies", fix: "allow_credentials", .warning),
]

private let login = "[\"http://127.0.0.1:9103\"]"
private let secureLogin = "[\"https://127.0.0.1:9103\"]"
private let longPath = "unix:/" + String(repeating: "p", count: 107)

private let upstreams: [Mistake] = [
    Mistake("probes: {address: 127.0.0.1:9900}", "probes: {address: ^unix:/run/probes.sock}", "expected a numeric address"),
    Mistake("address: 127.0.0.1:8443", "address: ^\(longPath)", "no path of 1…107 bytes", fix: "unix:/run"),
    Mistake("address: 127.0.0.1:8443", "address: ^\"unix:\"", "no path of 1…107 bytes"),
    Mistake("address: 127.0.0.1:8443", "address: 127.0.0.1:8443\n    ^mode: \"0660\"", "only Unix sockets have a mode"),
    Mistake("address: 127.0.0.1:8443", "address: unix:a.sock\n    mode: ^\"rw\"", "expected a mode of 000…777"),
    Mistake("address: 127.0.0.1:8443", "address: unix:a.sock\n    mode: ^\"1777\"", "expected a mode of 000…777"),
    Mistake(login, "[^\"\(longPath)\"]", "no path of 1…107 bytes"),
    Mistake(login, "[^\"ftp://127.0.0.1:9103\"]", "expected a server's URL", fix: "https://HOST:PORT"),
    Mistake(login, "[\"http://127.0.0.1:9103\", ^\"https://127.0.0.1:9104\"]", "must all be `https`, or none", fix: "two upstreams"),
    Mistake(login, "[\"https://127.0.0.1:9103\", ^\"unix:/run/a.sock\"]", "must all be `https`, or none"),
    Mistake(login, "[\"unix:/run/a.sock\"], ^tls: {name: a.example}", "`tls` is for `https` servers", fix: "https://"),
    Mistake(login, login + ", ^tls: {}", "`tls` is for `https` servers"),
    Mistake(login, "[\"unix:/run/a.sock\", ^\"unix:/run/a.sock\"]", "listed twice"),
    Mistake(login, secureLogin + ", tls: {ca: ^tls/none.pem}", "does not exist"),
    Mistake(login, secureLogin + ", tls: {name: ^\"a.example:443\"}", "expected a host"),
    Mistake(login, secureLogin + ", tls: {^certificate: tls/gateway.pem}", "`certificate` without `key`", fix: "both"),
    Mistake(login, secureLogin + ", tls: {^key: tls/gateway.key}", "`key` without `certificate`"),
    Mistake(login, secureLogin + ", tls: {^verify: off}", "unknown key `verify`"),
    Mistake(login, login + ", ejection: {^time: 10m}", "`time` is longer than `maximum`"),
    Mistake(login, login + ", ejection: {failures: ^0}", "out of bounds"),
    Mistake(login, login + ", ejection: ^never", "expected a map or `off`"),
    Mistake(login, login + ", circuit_breaker: {open: ^0s}", "out of bounds"),
    Mistake(login, login + ", health: ^{interval: 1s}", "`path` is missing"),
    Mistake(login, login + ", health: {path: ^healthz}", "expected a path", fix: "/healthz"),
    Mistake(login, login + ", health: {path: ^\"/a b\"}", "expected a path"),
    Mistake(login, login + ", waiting: ^-1", "out of bounds"),
    Mistake(login, login + ", caller_share: ^0", "out of bounds"),
]

private let proxies: [Mistake] = [
    Mistake("- address: 127.0.0.1:8443", "- address: 127.0.0.1:8443\n    proxy_protocol: ^v1", "expected"),
    Mistake(
        "- address: 127.0.0.1:8443", "- address: 127.0.0.1:8443\n    ^proxy_protocol: required", "no `trusted_proxies`", fix: "networks"),
]

private let certificate = "{chain: tls/gateway.pem, key: tls/gateway.key}"

private let clients: [Mistake] = [
    Mistake(certificate, "{chain: tls/gateway.pem, key: tls/gateway.key, ^client_ca: tls/gateway.pem}", "without `client_certificate`"),
    Mistake(certificate, "{chain: tls/gateway.pem, key: tls/gateway.key, ^client_certificate: required}", "without `client_ca`"),
    Mistake(
        certificate, "{chain: tls/gateway.pem, key: tls/gateway.key, client_ca: ^tls/none.pem, client_certificate: required}",
        "does not exist"),
    Mistake(
        certificate, "{chain: tls/gateway.pem, key: tls/gateway.key, client_ca: tls/gateway.pem, client_certificate: ^maybe}",
        "expected one of"),
]

private let rates: [Mistake] = [
    Mistake("limits: {token: 8KiB}", "rate_limits: ^{}", "limits nothing", fix: "per_user"),
    Mistake("limits: {token: 8KiB}", "rate_limits: {per_user: ^{per: 1s}}", "`requests` is missing"),
    Mistake("limits: {token: 8KiB}", "rate_limits: {per_user: {requests: ^0}}", "0 is out of bounds"),
    Mistake("limits: {token: 8KiB}", "rate_limits: {per_user: {requests: 1, per: ^10ms}}", "10ms is out of bounds"),
    Mistake("limits: {token: 8KiB}", "rate_limits: {per_user: {requests: 1, per: 1h, ^burst: 25}}", "more than a day to come back"),
    Mistake("limits: {token: 8KiB}", "rate_limits: {per_user: {requests: 1}, ^per_address: {requests: 1}}", "unknown key `per_address`"),
    Mistake(loginRoute, String(loginRoute.dropLast()) + ", ^rate_limits: {per_user: {requests: 1}}}", "nobody is known to be limited"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, rate_limits: ^none}", "expected"),
]

private let routes: [Mistake] = [
    Mistake("upstream: login,", "upstream: ^logn,", "no upstream `logn`", fix: "did you mean `login`?"),
    Mistake(
        "login: {servers: [\"http://127.0.0.1:9103\"]}", "login: {servers: [\"http://127.0.0.1:9103\"], directory: ^jitsud}",
        "no directory `jitsud`"),
    Mistake("[\"http://127.0.0.1:9103\"]", "[^127.0.0.1:9103]", "expected a server's URL", fix: "http://"),
    Mistake("[\"http://127.0.0.1:9103\"]", "[^\"http://me@127.0.0.1:9103\"]", "expected http://HOST:PORT"),
    Mistake("[\"http://127.0.0.1:9103\"]", "[\"http://127.0.0.1:9103/a\", ^\"http://127.0.0.1:9104/b\"]", "the same path"),
    Mistake("[\"http://127.0.0.1:9103\"]", "[^\"http://127.0.0.1:9103/a/../b\"]", "more than one way"),
    Mistake("[\"http://127.0.0.1:9103\"]", "[\"http://127.0.0.1:9103\", ^\"http://127.0.0.1:9103\"]", "listed twice"),
    Mistake("path: /login", "path: ^login", "is not a path pattern", fix: "starts with '/'"),
    Mistake("path: /login", "path: ^/login/", "is not a path pattern", fix: "trailing"),
    Mistake("path: /login", "path: ^/**/login", "is not a path pattern", fix: "last segment"),
    Mistake("path: /login", "path: ^/log%69n", "is not a path pattern", fix: "write 'login'"),
    Mistake("path: /login", "path: ^/a//b", "is not a path pattern"),
    Mistake("path: /login,", "path: /login, host: ^\"example.com:443\",", "expected a host without a port"),
    Mistake("path: /login,", "path: /login, methods: [^post],", "expected a method in upper case", fix: "`POST`"),
    Mistake("path: /login,", "path: /login, methods: [^TRACE],", "TRACE is never forwarded"),
    Mistake("path: /login,", "path: /login, timeout: ^10,", "expected a duration"),
    Mistake(", credential: none", ", credential: ^public", "expected one of"),
    Mistake(
        "{path: /login, upstream: login, credential: none}", "{path: /login, ^upstream: login}", "has no directory", fix: "credential: none"
    ),
    Mistake(", credential: none", ", credential: none, ^tenant: required", "no tenant can be checked", fix: "unverified"),
    Mistake(", credential: none", ", credential: none, ^suspended: allow", "nobody is known to be suspended"),
    Mistake(", credential: none", ", credential: none, ^require: upstream", "`require: upstream` on a public route"),
    Mistake(", credential: none", ", credential: none, ^require: {roles: [admin]}", "read from a token"),
    Mistake(", credential: none", ", credential: none, ^outlive_token: true", "no token to outlive"),
    Mistake(", credential: none", ", credential: none, ^allow_credentials: [Cookie]", "only beside a token", .warning),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^tenant: unverified}", "on a route that verifies tokens"),
    Mistake(
        loginRoute, "- {path: /login, upstream: login, credential: none, ^mode: observe, until: 2999-01-31}", "there is nothing to observe"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^mode: observe}", "without an end", fix: "until"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^until: 2999-01-31}", "without `mode: observe`"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, mode: observe, until: ^2027-02-29}", "expected a date", fix: "2027-01-31"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, mode: observe, until: ^tomorrow}", "expected a date"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, require: ^{}}", "asks for nothing"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, allow_credentials: [^X-Colour]}", "is not a second credential", .warning),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^strip_prefix: /v2}", "the path doesn't begin with it"),
    Mistake(jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^on_unknown: suspend}", "reaches no suspend call"),
    Mistake(
        suspendRoute, "- {^path: \"/v1/users/{user}/suspend\", methods: [POST], upstream: jitsudo}",
        "reaches `POST /v1/users/{user}/suspend`", fix: "require: upstream"),
    Mistake(
        suspendRoute, "- {path: \"/v1/users/{user}/suspend\", methods: [POST], upstream: jitsudo, ^require: {scopes: [a]}}",
        "doesn't say who may"),
    Mistake(
        suspendRoute, "- {path: \"/v1/users/{user}/suspend\", upstream: jitsudo, require: upstream, ^suspended: allow}",
        "can't be open to suspended users"),
    Mistake(
        suspendRoute, "- {path: \"/v1/users/{user}/suspend\", upstream: jitsudo, require: upstream, ^on_unknown: suspend}",
        "might not let them", fix: "roles"),
    Mistake(
        suspendRoute, "- {path: \"/v1/users/{user}/suspend\", upstream: jitsudo, require: upstream, ^credential: upstream}",
        "teach nothing", .warning),
    Mistake(
        jitsudoRoute, "- {path: /v1/**, upstream: jitsudo, ^token_from: subprotocol, cors: {origins: [\"https://app.example\"]}}",
        "can't send `X-Tenant-ID`", fix: "tenant: optional", .warning),
    Mistake(
        jitsudoRoute, jitsudoRoute + "\n  - {^path: \"/v1/**\", upstream: jitsudo}",
        "the one on line 28 take the same path for every method"),
    Mistake(
        suspendRoute,
        suspendRoute + "\n  - {^path: \"/v1/users/{id}/suspend\", methods: [GET, POST], upstream: jitsudo, require: upstream}",
        "take the same path for POST"),
    Mistake("rinne, require: upstream}", "rinne, ^require: {roles: [admin]}}", "may carry several tenants", fix: "by_tenant"),
    Mistake("rinne, require: upstream}", "rinne}", "`POST /core/v1/users/{user}/suspend`"),
    Mistake(
        "  login: {servers", "  ^spare: {servers: [\"http://127.0.0.1:1\"]}\n  login: {servers", "no route uses the upstream `spare`",
        .warning),
    Mistake(
        "  rinne: {dialect: dialects/rinne.yaml}", "  rinne: {dialect: dialects/rinne.yaml}\n  ^spare: {}",
        "nothing uses the directory `spare`", .warning),
]

@Suite("Mistakes in the file")
struct MistakeTests {
    @Test("the file that the table changes has no problem")
    func goodFileIsGood() {
        let checked = FileWorkspace().check(goodFile)
        #expect(checked.problems == [])
        #expect(checked.configuration?.routes.count == 4)
    }

    @Test(
        "each mistake is told once, at its place, with what is wrong and what to do",
        arguments: syntax + keys + admins + values + credentials + crossOrigin + upstreams + proxies + clients + rates + routes)
    func mistakeIsTold(mistake: Mistake) throws {
        let workspace = FileWorkspace()
        workspace.write("secrets/short", "short\n", mode: 0o600)
        workspace.write("secrets/open", String(repeating: "0123456789abcdef", count: 4))
        workspace.write("secrets/private.pem", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", mode: 0o600)
        try #require(goodFile.contains(mistake.from))
        let marked = goodFile.replacing(mistake.from, with: mistake.to, maxReplacements: 1)
        let checked = workspace.check(marked.replacing("^", with: ""))

        let problems = checked.problems.filter { $0.severity == .error || mistake.severity == .warning }
        try #require(problems.count == 1, "\(CheckReport.problems(checked.problems))")
        let problem = problems[0]
        #expect(problem.severity == mistake.severity)
        #expect(problem.message.contains(mistake.says), "\(problem.text)")
        #expect(mistake.fix.isEmpty || problem.remedy.contains(mistake.fix), "\(problem.text)")
        #expect(!problem.remedy.isEmpty)
        if let marker = marked.firstIndex(of: "^") {
            let before = marked[..<marker]
            let line = before.count { $0 == "\n" } + 1
            let column = before.reversed().prefix { $0 != "\n" }.count + 1
            #expect((problem.place.line, problem.place.column) == (line, column), "\(problem.text)")
        }
        #expect(problem.place.file == "\(workspace.folder)/gateway.yaml")
        #expect((checked.configuration == nil) == (mistake.severity == .error))
    }

    @Test("the table holds at least 100 mistakes")
    func tableIsLong() {
        #expect((syntax + keys + values + credentials + crossOrigin + upstreams + rates + routes).count >= 100)
    }
}
