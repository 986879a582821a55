import Policy

/// What only shows when all credentials are seen together (SPEC §2).
struct CredentialChecks {
    let drafts: [CredentialSection.Draft]
    let directories: [Named<Section>]
    let routes: [RouteReader.Draft]
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
}
