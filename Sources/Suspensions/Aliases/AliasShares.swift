import Policy

/// Whose users are asked for: the unit between which room is shared. A tenant's identity provider signs what it likes, and its service may
/// hang for it alone; neither is to keep other tenants' users from being known.
struct AliasGroup: Hashable {
    let directory: DirectoryIndex
    /// Nil where suspensions reach all tenants.
    let tenant: FormattedID?
}

extension AliasQuestion {
    var group: AliasGroup { AliasGroup(directory: directory, tenant: tenant) }
}

extension Subject {
    var aliasGroup: AliasGroup { AliasGroup(directory: directory, tenant: tenant) }
}

/// Places for what waits or is under way. Nobody holds more than `ofOne`, nor more than half of what the others leave: there is always
/// one left for who has none, as long as they are not all taken by others who have few.
struct AliasPlaces {
    let ofOne: Int
    let all: Int
    private var taken: [AliasGroup: Int] = [:]
    private var total = 0

    init(ofOne: Int, all: Int) { (self.ofOne, self.all) = (ofOne, all) }

    var isFull: Bool { total >= all }

    func isFree(for group: AliasGroup) -> Bool {
        let own = taken[group] ?? 0
        return !isFull && own < min(ofOne, max(1, (all - (total - own)) / 2))
    }

    mutating func take(_ group: AliasGroup) {
        taken[group, default: 0] += 1
        total += 1
    }

    mutating func give(_ group: AliasGroup, _ count: Int = 1) {
        let left = (taken[group] ?? 0) - count
        taken[group] = left > 0 ? left : nil
        total -= count
    }
}

/// How much may begin in a second: of one group, and of all together.
struct AliasAllowances {
    private let ofOne: Int
    private var all: SearchAllowance
    private var groups: [AliasGroup: SearchAllowance] = [:]

    init(ofOne: Int, all: Int) { (self.ofOne, self.all) = (ofOne, SearchAllowance(perSecond: all)) }

    mutating func take(_ group: AliasGroup, now: Int64) -> Bool {
        // Those of a moment ago begin anew; `all` holds nonetheless.
        if groups.count >= Limits.aliasGroups, groups[group] == nil { groups.removeAll(keepingCapacity: true) }
        guard groups[group, default: SearchAllowance(perSecond: ofOne)].take(now: now) else { return false }
        return all.take(now: now)
    }
}

/// Aliases that wait for their turn: a group's in the order in which they came, groups by turns.
struct AliasLines {
    private var lines: [AliasGroup: AliasLine] = [:]
    private var turns: [AliasGroup] = []

    mutating func append(_ key: AliasKey, of group: AliasGroup) {
        if lines[group] == nil { turns.append(group) }
        lines[group, default: AliasLine()].append(key)
    }

    /// The next one of a group that has room.
    mutating func next(where hasRoom: (AliasGroup) -> Bool) -> AliasKey? {
        guard let turn = turns.firstIndex(where: hasRoom) else { return nil }
        let group = turns.remove(at: turn)
        let key = lines[group]?.next()
        if lines[group]?.isEmpty == false { turns.append(group) } else { lines[group] = nil }
        return key
    }
}
