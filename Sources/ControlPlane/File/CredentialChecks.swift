import Policy

/// What only shows when all credentials are seen together (SPEC §2).
struct CredentialChecks {
    let drafts: [CredentialSection.Draft]
    let directories: [Named<Section>]
    let routes: [RouteReader.Draft]
    /// Whether the file joins a fleet.
    let hasFleet: Bool
    let problems: ProblemList

    /// Bytes: the gateway doesn't take canonically equal names for the same.
    private struct Issuer: Hashable {
        let directory: DirectoryIndex
        let name: [UInt8]
    }

    /// The issuer picks the entry, so it must be one per directory.
    func checkIssuers() {
        var first: [Issuer: Place] = [:]
        for draft in drafts {
            guard let issuer = draft.issuer, let directory = draft.directory else { continue }
            let key = Issuer(directory: directory, name: Array(issuer.value.utf8))
            guard let same = first[key] else {
                first[key] = issuer.place
                continue
            }
            let before = same.file == issuer.place.file ? "on line \(same.line)" : "at \(same.file):\(same.line)"
            let what = issuer.value == "absent" ? "`issuer: absent`" : "the issuer \(issuer.value)"
            problems.error(
                issuer.place, "the directory has \(what) twice, first \(before)",
                fix: "make one entry of them; several secrets go into `secret_files`, several keys into a `jwks_file`")
        }
    }

    /// A directory without an entry refuses every token: safe, but hardly meant.
    func checkCovered() {
        for (index, directory) in directories.enumerated() where !drafts.contains(where: { $0.directory == index }) {
            guard routes.contains(where: { $0.route?.directory == index && $0.route?.credential == .jwt }) else { continue }
            problems.warning(
                directory.place, "no credentials are declared for the directory `\(directory.name)`: every token on its routes is refused",
                fix: "add an entry with `directory: \(directory.name)` under `credentials`")
        }
    }

    /// Whom nobody has seen yet is refused where the gateway can't ask; and an address that nobody has verified may be anybody's.
    func checkAliases(_ settings: [DirectorySettings?]) {
        for draft in drafts {
            guard let claims = draft.block?.claims, let alias = claims.alias, let index = draft.directory, let directory = settings[index]
            else { continue }
            let place = draft.section.place(CredentialSection.claims)
            let name = alias.rule.name
            let search = directory.dialect.aliases.first { $0.rule == alias.rule }?.search
            if directory.service == nil, hasFleet {
                problems.error(
                    place,
                    "an alias with `fleet` takes `service_tokens`: what another gateway has seen of a user's `\(name)` this one can only ask for",
                    fix: "add `service_tokens` to the directory `\(directory.name)`, or name a claim with the directory's own user id")
            } else if directory.service == nil {
                problems.warning(
                    place, "users are refused until an answer of their service has shown their `\(name)`: the gateway can't ask for it",
                    fix: "add `service_tokens` to the directory `\(directory.name)`")
            } else if search == nil {
                problems.warning(
                    place, "users are refused until they were read or listed: the dialect doesn't say how to ask whose an `\(name)` is",
                    fix:
                        "add `search: {call: \"GET /…?\(name)={alias}\", items: /…}` to the alias in \(directory.dialectPath ?? "the dialect")"
                )
            }
            if alias.condition == nil, claims.user.steps.last == Array("email".utf8) {
                problems.warning(
                    place,
                    "`email` is taken from tokens whose issuer has not verified it, too: where its users choose their own, they choose whom to be",
                    fix: "add `if: [email_verified]`, or name a claim that the issuer itself assigns")
            }
        }
    }
}
