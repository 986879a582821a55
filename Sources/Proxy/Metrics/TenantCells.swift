import Policy
import Synchronization

/// The tenants that have a label of their own: the first so many that were seen, by whichever loop.
final class TenantNames: Sendable {
    let cap: Int
    private let names = Mutex<[FormattedID]>([])

    init(cap: Int) { self.cap = cap }

    /// Takes a tenant in where there is room. All names then, and whether there is room for more.
    func enter(_ tenant: FormattedID) -> (names: [FormattedID], isFull: Bool) {
        names.withLock { names in
            if names.count < cap, !names.contains(tenant) { names.append(tenant) }
            return (names, names.count >= cap)
        }
    }
}

/// One loop's requests by tenant and code, for a bounded number of tenants; all others count as one.
struct TenantCells {
    private let names: TenantNames
    /// Places in `counts`; 0 is for all others.
    private var places: [FormattedID: Int] = [:]
    private var counts: [[EndingCode: Int]] = [[:]]
    private var isFull = false

    /// What all tenants beyond the cap are called.
    static let other = "other"

    init(names: TenantNames) { self.names = names }

    /// Counts a request. The shared table is asked once for each new tenant, and never again when it is full.
    mutating func count(_ tenant: TenantID, _ code: EndingCode) {
        counts[place(of: tenant.id)][code, default: 0] += 1
    }

    private mutating func place(of tenant: FormattedID) -> Int {
        if let place = places[tenant] { return place }
        if isFull { return 0 }
        let known = names.enter(tenant)
        isFull = known.isFull
        for name in known.names where places[name] == nil {
            places[name] = counts.count
            counts.append([:])
        }
        return places[tenant] ?? 0
    }

    /// By the tenant's label. One whose id is `other` is told apart by nobody: it counts there too.
    var figures: [String: [EndingCode: Int]] {
        var figures = [Self.other: counts[0]]
        for (name, place) in places {
            figures[String(decoding: name.canonical, as: UTF8.self), default: [:]].merge(counts[place], uniquingKeysWith: +)
        }
        return figures.filter { !$0.value.isEmpty }
    }
}
