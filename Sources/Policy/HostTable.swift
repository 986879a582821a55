/// Picks the routes of a request's host: the exact host, else the longest wildcard, else those for any host (SPEC §5).
struct HostTable: Sendable {
    private var names: [Name] = []
    private var wildcards: [Name] = []
    private var addresses: [(bits: IPv6Bits, group: Int)] = []
    private var any: Int?

    /// A host or a wildcard's suffix, in lower case; sorted by hash.
    private struct Name {
        let hash: UInt32
        let text: [UInt8]
        let group: Int
    }

    /// The group of a host is its place in `hosts`, which are distinct.
    init(_ hosts: [HostPattern]) {
        for (group, host) in hosts.enumerated() {
            switch host {
            case .any: any = group
            case .wildcard(let suffix): wildcards.append(Self.name(suffix, group))
            case .exact(let host):
                if let bits = HostName.ipv6(host.span) {
                    addresses.append((bits, group))
                } else {
                    names.append(Self.name(host, group))
                }
            }
        }
        names.sort { $0.hash < $1.hash }
        wildcards.sort { $0.hash < $1.hash }
    }

    /// `host` without port, in any case.
    func group(of host: Span<UInt8>) -> Int? {
        if !addresses.isEmpty, let bits = HostName.ipv6(host) {
            return addresses.first { $0.bits == bits }?.group ?? any
        }
        if names.isEmpty, wildcards.isEmpty { return any }
        return named(host)
    }

    /// Hashes from the right, so that every suffix' hash is had on the way.
    private func named(_ host: Span<UInt8>) -> Int? {
        var hash = FNV1a()
        var longest = any
        var index = host.count - 1
        while index >= 0 {
            hash.add(lowercased(host[index]))
            if host[index] == UInt8(ascii: "."), index > 0, let group = Self.find(hash.value, host, index, in: wildcards) {
                longest = group
            }
            index -= 1
        }
        return Self.find(hash.value, host, 0, in: names) ?? longest
    }

    private static func find(_ hash: UInt32, _ host: Span<UInt8>, _ start: Int, in list: [Name]) -> Int? {
        let names = list.span
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if names[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < names.count, names[low].hash == hash {
            if equals(names[low].text, host, start) { return names[low].group }
            low += 1
        }
        return nil
    }

    private static func equals(_ text: [UInt8], _ host: Span<UInt8>, _ start: Int) -> Bool {
        guard text.count == host.count - start else { return false }
        for index in text.indices where text[index] != lowercased(host[start + index]) { return false }
        return true
    }

    private static func name(_ text: [UInt8], _ group: Int) -> Name {
        let lower = text.map { lowercased($0) }
        var hash = FNV1a()
        for byte in lower.reversed() { hash.add(byte) }
        return Name(hash: hash.value, text: lower, group: group)
    }
}

extension HostPattern {
    /// Reads a route's `host`: a host without port, `*.` and a domain, or `*` for any. Nil for everything else.
    ///
    /// An IPv6 address is written out, so that two spellings of it are one host.
    package init?(_ text: String) {
        if text == "*" {
            self = .any
            return
        }
        let isWildcard = text.hasPrefix("*.")
        let host = Array((isWildcard ? text.dropFirst(2) : text[...]).utf8).map { lowercased($0) }
        guard let name = try? HostName(host.span), name.port == nil else { return nil }
        if isWildcard {
            guard !HostName.isAddress(host.span) else { return nil }
            self = .wildcard([UInt8(ascii: ".")] + host)
        } else {
            self = .exact(HostName.ipv6(host.span)?.bytes ?? host)
        }
    }
}
