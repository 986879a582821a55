import Foundation

/// The demo's `curl` lines, each under its title and above the outcome to expect:
///
///     # 3. another tenant's header
///     curl -sSi …
///     # expect: 403 tenant_mismatch
///
/// Several requests on one connection expect as many outcomes, separated by commas. A code is the gateway's own, told by the
/// `Proxy-Status` of its answers; `from the service` is an answer that the gateway passes on. A line of `tenantgate` itself expects words of
/// what it prints.
struct DemoScript {
    let port: Int
    /// The admin listener's URL.
    let admin: String
    let folder: DemoFolder

    func text(for city: DemoCity) -> String { Self.text(city.title, steps(city)) }

    /// What whoever is on call does without the service.
    func byHand(_ city: DemoCity) -> String {
        let (ben, own) = (city.member, get(city, city.member))
        return Self.text(
            "By hand, without the user service",
            [
                Step("whoever is on call suspends ben", line: suspensions("add", city, ben), "is blocked now"),
                Step("ben is refused", [own], "403 user_suspended"),
                Step("why?", line: suspensions("log --text"), "by demo  (INC-4711)"),
                Step("and lets ben in again", line: suspensions("lift", city, ben), "lifted the block of operator"),
                Step("ben's token works again", [own], "200"),
            ])
    }

    var adminToken: String { folder.file("admin.token") }

    private static func text(_ title: String, _ steps: [Step]) -> String {
        let script = steps.enumerated().map { number, step in
            "# \(number + 1). \(step.title)\n\(step.line)\n# expect: \(step.expected)\n"
        }
        return "## \(title)\n\n" + script.joined(separator: "\n")
    }

    private func suspensions(_ command: String, _ city: DemoCity, _ person: DemoPerson) -> String {
        suspensions(command) + " --directory \(city.dialect) --user \(person.id) --reason INC-4711"
    }

    /// By this very program, wherever it stands.
    private func suspensions(_ command: String) -> String {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        return "\(program) suspensions \(command) --admin \(admin) --token-file \(adminToken)"
    }

    private struct Step {
        let title: String
        let line: String
        let expected: String

        init(_ title: String, _ requests: [String], _ expected: String) {
            self.title = title
            line = "curl -sS " + requests.joined(separator: " --next ")
            self.expected = expected
        }

        init(_ title: String, line: String, _ expected: String) { (self.title, self.line, self.expected) = (title, line, expected) }
    }

    private func steps(_ city: DemoCity) -> [Step] {
        let (ben, owner) = (city.member, city.owner)
        let own = get(city, ben)
        let (suspend, reactivate) = (change(city, ben.id, active: false), change(city, ben.id, active: true))
        return [
            Step("a good call", [own], "200"),
            Step("no token", [get(city, ben, token: false)], "401 unauthenticated"),
            Step("another tenant's header", [get(city, ben, tenant: city.otherTenant)], "403 tenant_mismatch"),
            Step("an admin suspends ben", [suspend], "200"),
            Step("ben's own token, still valid, is refused", [own], "403 user_suspended"),
            Step("the admin reactivates ben", [reactivate], "200"),
            Step("ben's token works again", [own], "200"),
            Step("the same on one open connection: ben, the admin's suspension, ben", [own, suspend, own], "200, 200, 403 user_suspended"),
            Step("reactivated again", [reactivate], "200"),
            Step("the service refuses to suspend \(owner.name)", [change(city, owner.id, active: false)], "403 from the service"),
            Step("so nothing has changed for \(owner.name)", [get(city, owner)], "200"),
            Step("a user that the service doesn't know", [change(city, city.unknownUser, active: false)], "404 from the service"),
        ]
    }

    /// The person asks for their own user object.
    private func get(_ city: DemoCity, _ person: DemoPerson, token: Bool = true, tenant: String? = nil) -> String {
        let header = tenant ?? (city.needsTenant ? person.tenant : nil)
        return request(city, token ? person : nil, header, [], "\(city.base)/users/\(person.id)")
    }

    private func change(_ city: DemoCity, _ user: String, active: Bool) -> String {
        let (path, body) = city.change(user, active: active)
        let data = body.map { ["-H 'Content-Type: application/json'", "-d '\($0)'"] } ?? ["-X POST"]
        return request(city, city.admin, city.needsTenant ? city.admin.tenant : nil, data, path)
    }

    private func request(_ city: DemoCity, _ person: DemoPerson?, _ tenant: String?, _ more: [String], _ path: String) -> String {
        var words = ["-i -w '\\n' --cacert \(folder.file("gateway.pem"))"]
        if let person { words.append("-H @\(headerFile(city, person))") }
        if let tenant { words.append("-H 'X-Tenant-ID: \(tenant)'") }
        return (words + more + ["https://localhost:\(port)\(path)"]).joined(separator: " ")
    }

    /// Where the person's `Authorization` field stands, so that lines stay readable.
    func headerFile(_ city: DemoCity, _ person: DemoPerson) -> String { folder.file("\(city.dialect)-\(person.name)") }
}
