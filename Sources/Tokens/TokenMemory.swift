import Glibc
package import Policy

/// The verified tokens that one event loop remembers, so that a signature is checked once and not at every request.
///
/// A table of sets with eight places each: a question reads one set, compares the whole token, and allocates nothing. It is bounded by
/// count and by bytes. What took part in the decision is part of the key: all bytes of the token, the directory, the authority (of another
/// one's blocks only those stay that judge as before) and the time (asked at every hit). Fetched keys take part too: when one leaves its set, `use` forgets its tokens.
/// Suspension is not in here; it is asked on every request.
package struct TokenMemory: ~Copyable {
    private static let ways = 8

    /// What each place holds: 0 for nothing, else a hash of token and directory that is not 0.
    private var tags: [UInt64]
    private var entries: [Entry?]
    /// A bit per place of a set: asked for since the eviction last passed by.
    private var used: [UInt8]
    /// Tags of tokens that were verified when there was no room for them.
    private var glimpsed: [UInt64]
    private let hash = TokenHash()
    private let byteLimit: Int
    private var hand = 0
    private var authority: TokenAuthority?
    private var table = KeyTable.empty
    /// The fetched sets in force, by the authority's origins.
    private var sets: [KeySet?] = []
    private let verifier = SignatureVerifier()

    /// Tokens remembered now.
    package private(set) var count = 0
    /// Bytes that they take, near enough.
    package private(set) var bytes = 0
    /// Questions that were answered from memory, and those that took a verification.
    package private(set) var hits = 0
    package private(set) var misses = 0

    fileprivate struct Entry {
        let token: [UInt8]
        let directory: DirectoryIndex
        var credential: Credential
        /// Bytes that it takes.
        let size: Int
    }

    /// `count` is rounded up to a power of two, at least 8.
    package init(count: Int = Limits.rememberedTokens, bytes: Int = Limits.rememberedTokenBytes) {
        var sets = 1
        while sets * Self.ways < count { sets *= 2 }
        tags = Array(repeating: 0, count: sets * Self.ways)
        entries = Array(repeating: nil, count: sets * Self.ways)
        used = Array(repeating: 0, count: sets)
        glimpsed = Array(repeating: 0, count: sets * Self.ways)
        byteLimit = bytes
    }

    /// What `token` says, verified now or remembered. `now` is in Unix seconds.
    ///
    /// Throws `.invalidToken`, or `.tokenExpired` where nothing else is wrong. A hit allocates nothing.
    package mutating func credential(
        for token: Span<UInt8>, directory: DirectoryIndex, authority: TokenAuthority, now: Int64
    ) throws(Denial) -> Credential {
        if self.authority !== authority { reset(to: authority) }
        let tag = hash(token, directory) | 1
        if let place = find(token, directory, tag) {
            hits &+= 1
            return try remembered(at: place, now: now)
        }
        misses &+= 1
        do throws(TokenFault) {
            let credential = try authority.examine(token, directory: directory, sets: sets, now: now, with: verifier)
            remember(token, directory, credential, tag)
            return credential
        } catch { throw error.denial }
    }

    /// Forgets what `authority` might judge otherwise than the one before it, as the next question would.
    package mutating func take(_ authority: TokenAuthority) {
        if self.authority !== authority { reset(to: authority) }
    }

    private mutating func reset(to authority: TokenAuthority) {
        let carried = authority.carried.flatMap { $0.from == self.authority?.number ? $0.blocks : nil } ?? []
        verifier.forget()
        self.authority = authority
        sets = authority.keySets(of: table)
        for place in tags.indices where tags[place] != 0 {
            guard let known = entries[place]?.credential, known.block < carried.count, let block = carried[known.block],
                isInForce(known.key, for: block, of: authority)
            else {
                forget(place)
                continue
            }
            if block != known.block { entries[place]?.credential = Credential(known, block: block) }
        }
    }

    /// Whether a block that has this key, or has it fetched, may go on by it.
    private func isInForce(_ key: VerificationKey, for block: Int, of authority: TokenAuthority) -> Bool {
        guard let place = authority.origin(ofBlock: block) else { return true }
        return sets[place]?.keys.contains { $0 === key } ?? false
    }

    /// These fetched keys are in force from now on. What a key has verified that is not among them any more is forgotten.
    package mutating func use(_ table: KeyTable) {
        self.table = table
        guard let authority else { return }
        let before = sets
        sets = authority.keySets(of: table)
        var left: Set<ObjectIdentifier> = []
        for (old, new) in zip(before, sets) where old !== new {
            for key in old?.keys ?? [] where new?.keys.contains(where: { $0 === key }) != true {
                left.insert(ObjectIdentifier(key))
                verifier.forget(key)
            }
        }
        guard !left.isEmpty else { return }
        for place in tags.indices where tags[place] != 0 {
            if let entry = entries[place], left.contains(ObjectIdentifier(entry.credential.key)) { forget(place) }
        }
    }
}

// MARK: places

extension TokenMemory {
    /// The first place of the tag's set. The tag's lowest bit is always 1, so the upper half chooses.
    private func firstPlace(_ tag: UInt64) -> Int { (Int(truncatingIfNeeded: tag >> 32) & (used.count - 1)) * Self.ways }

    private func find(_ token: Span<UInt8>, _ directory: DirectoryIndex, _ tag: UInt64) -> Int? {
        let first = firstPlace(tag)
        for place in first..<first + Self.ways where tags[place] == tag {
            if let entry = entries[place], entry.directory == directory, entry.isToken(token) { return place }
        }
        return nil
    }

    private mutating func remembered(at place: Int, now: Int64) throws(Denial) -> Credential {
        guard let credential = entries[place]?.credential else { throw .internalError }
        guard now < credential.expires else {
            forget(place)
            throw .tokenExpired
        }
        // Only a clock that was set back comes here: `nbf` and `iat` were past once.
        guard now >= credential.validity.lowerBound else { throw .invalidToken }
        used[place / Self.ways] |= 1 << UInt8(place % Self.ways)
        return credential
    }

    /// Where another token would have to go, one that is seen for the first time is not remembered: most such come only once, and a
    /// flood of them would push out those that come again and again.
    private mutating func remember(_ token: Span<UInt8>, _ directory: DirectoryIndex, _ credential: Credential, _ tag: UInt64) {
        let size = token.count + credential.footprint
        guard size <= byteLimit else { return }
        let first = firstPlace(tag)
        let hasRoom = bytes + size <= byteLimit && (first..<first + Self.ways).contains { tags[$0] == 0 }
        guard hasRoom || wasGlimpsed(tag) else { return }
        let place = freePlace(first, preferring: Int(tag >> 1) % Self.ways)
        while bytes + size > byteLimit { evictNext() }
        tags[place] = tag
        count += 1
        bytes += size
        entries[place] = Entry(token: token.array, directory: directory, credential: credential, size: size)
    }

    /// Whether the token was verified before without being remembered, as far as that is still known; notes it.
    private mutating func wasGlimpsed(_ tag: UInt64) -> Bool {
        let slot = Int(truncatingIfNeeded: tag >> 16) & (glimpsed.count - 1)
        defer { glimpsed[slot] = tag }
        return glimpsed[slot] == tag
    }

    /// An empty place of the set; else one that nobody asked for lately; else the preferred one, and all start anew.
    private mutating func freePlace(_ first: Int, preferring preferred: Int) -> Int {
        let set = first / Self.ways
        var idle: Int?
        for way in preferred..<preferred + Self.ways {
            let place = first + way % Self.ways
            if tags[place] == 0 { return place }
            if idle == nil, used[set] >> UInt8(way % Self.ways) & 1 == 0 { idle = place }
        }
        if idle == nil { used[set] = 0 }
        let place = idle ?? first + preferred
        forget(place)
        return place
    }

    /// Makes room by bytes: the hand goes round and takes the next entry that nobody asked for since it last came by.
    private mutating func evictNext() {
        while true {
            let place = hand
            hand = (hand + 1) % tags.count
            guard tags[place] != 0 else { continue }
            let bit: UInt8 = 1 << UInt8(place % Self.ways)
            guard used[place / Self.ways] & bit != 0 else { return forget(place) }
            used[place / Self.ways] &= ~bit
        }
    }

    private mutating func forget(_ place: Int) {
        tags[place] = 0
        used[place / Self.ways] &= ~(1 << UInt8(place % Self.ways))
        count -= 1
        bytes -= entries[place]?.size ?? 0
        entries[place] = nil
    }
}

extension TokenMemory.Entry {
    func isToken(_ other: Span<UInt8>) -> Bool {
        guard token.count == other.count else { return false }
        return unsafe token.withUnsafeBytes { own in
            unsafe other.withUnsafeBytes { unsafe memcmp(own.baseAddress!, $0.baseAddress!, own.count) == 0 }
        }
    }
}
