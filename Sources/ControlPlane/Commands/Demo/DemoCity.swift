/// One of the two user APIs as the demo plays it: who is who at `user-service`, and how its calls are written.
struct DemoCity {
    let dialect: String
    let title: String
    /// In front of `/users`.
    let base: String
    let admin: DemoPerson
    let member: DemoPerson
    /// Whom the service refuses to suspend.
    let owner: DemoPerson
    let otherTenant: String
    let unknownUser: String
    /// Whether every call must carry `X-Tenant-ID`.
    let needsTenant: Bool

    static let jitsudo = DemoCity(
        dialect: "jitsudo", title: "JITSudo: X-Tenant-ID is required, a suspension stands on the tenant's user", base: "/v1",
        admin: DemoPerson(name: "ana", id: "0A000000-0000-4000-8000-000000000001", tenant: acme, role: "admin"),
        member: DemoPerson(name: "ben", id: "0B000000-0000-4000-8000-000000000002", tenant: acme, role: "member"),
        owner: DemoPerson(name: "olga", id: "0C000000-0000-4000-8000-000000000003", tenant: acme, role: "admin"),
        otherTenant: "b2b2b2b2-0000-4000-8000-0000000b10b2", unknownUser: "0E000000-0000-4000-8000-00000000000E", needsTenant: true)

    static let rinne = DemoCity(
        dialect: "rinne", title: "Rinne: X-Tenant-ID is optional, a suspension stands on the user in every company", base: "/core/v1",
        admin: DemoPerson(name: "ana", id: "usr_ana", tenant: "comp_north", role: "admin"),
        member: DemoPerson(name: "ben", id: "usr_ben", tenant: "comp_north", role: "member"),
        owner: DemoPerson(name: "root", id: "usr_root", tenant: "comp_north", role: "admin"),
        otherTenant: "comp_south", unknownUser: "usr_nobody", needsTenant: false)

    private static let acme = "a1a1a1a1-0000-4000-8000-00000000ace1"

    var people: [DemoPerson] { [admin, member, owner] }

    /// Path and, where the dialect has one, body of the call that suspends or reactivates.
    func change(_ user: String, active: Bool) -> (path: String, body: String?) {
        needsTenant
            ? ("\(base)/users/\(user)/suspend", "{\"active\": \(active)}")
            : ("\(base)/users/\(user)/\(active ? "activate" : "suspend")", nil)
    }
}
