import Policy

/// Any bytes as a request's path. It has one normal form and one reading, however it is spelled; what is found for the normal form is what
/// a plain reader of its segments finds, and the path that goes upstream is found again there.
func fuzzPath(_ bytes: [UInt8]) throws(Broken) {
    let form = canonical(bytes)
    try hold(canonical(escaped(bytes)) == form, "escaping what needs no escape changes nothing, a refusal neither")
    guard case .path(let path) = form else { return }
    try hold(canonical(path) == form, "a normal form is its own")
    try checkSegments(path)
    try checkRoutes(path)
    for mapping in mappings {
        var sent: [UInt8] = []
        mapping.append(path.span, to: &sent)
        try hold(canonical(sent) == .path(sent), "what is sent is in its normal form")
        try checkCalls(sent)
    }
}

private enum Form: Equatable {
    case path([UInt8])
    case refused(Denial)
}

private func canonical(_ bytes: [UInt8]) -> Form {
    do throws(Denial) {
        switch try RequestPath.canonical(bytes.span) {
        case .asReceived: return .path(bytes)
        case .rewritten(let path): return .path(path)
        }
    } catch { return .refused(error) }
}

/// The same path with an escape, in lower-case hex, for every unreserved character that isn't part of an escape.
private func escaped(_ path: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var index = 0
    while index < path.count {
        let byte = path[index]
        if byte == UInt8(ascii: "%"), index + 2 < path.count, isHex(path[index + 1]), isHex(path[index + 2]) {
            out += path[index..<index + 3].map { $0 | 0x20 }
            out[out.count - 3] = byte
            index += 3
        } else {
            out += isUnreserved(byte) ? Array("%\(String(byte, radix: 16))".utf8) : [byte]
            index += 1
        }
    }
    return out
}

/// No server can take one of the segments for another's end, for a step up, or for a string that ends early.
private func checkSegments(_ path: [UInt8]) throws(Broken) {
    try hold(path.first == slash, "a path is absolute")
    let segments = path.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
    for (number, segment) in segments.enumerated() {
        let segment = Array(segment)
        guard let text = percentDecodedSegment(segment.span) else { throw Broken("every escape is whole") }
        try hold(number == segments.count - 1 || !text.isEmpty, "no segment is empty")
        try hold(text != Array(".".utf8) && text != Array("..".utf8), "no segment is a step")
        try hold(text.allSatisfy { $0 > 0x1F && $0 != 0x7F && !forbidden.contains($0) }, "no segment holds a delimiter")
        try hold(String(validating: text, as: UTF8.self) != nil, "a segment is UTF-8")
        try hold(percentDecodedSegment(text.span).map { $0 == text } ?? true, "decoding twice decodes no more")
    }
}

// MARK: routes and calls

private let patterns = [
    "/", "/v1/**", "/v1/users/{user}", "/v1/users/{user}/suspend", "/v1/users/me", "/v1/Users/{user}/suspend", "/v1/users/%C3%A4",
    "/v1/{kind}/{user}/export/**", "/V1/admin", "/v1/users/me/suspend/**", "/v2/a/b/c", "/v2/{a}/b", "/v2/A/{b}/c", "/v2/{a}/{b}/C",
    "/v3/~%20!/{x}", "/v3/{x}/y",
]
private let intents = [
    "POST /v1/users/{user}/suspend", "POST /v1/users/{user}", "GET /v1/users/{user}", "GET /v1/users", "GET /v1/users/me",
    "POST /v1/users/me/activate",
]

private let shapes = patterns.map { pattern($0).segments }
private let calls = intents.map { line in
    let words = line.split(separator: " ").map(String.init)
    return DialectCall(method: Array(words[0].utf8), pattern: pattern(words[1]), answers: .user, text: line)
}
private let callTable = CallTable(calls)
private let table: RouteTable = {
    do {
        return try RouteTable(patterns.enumerated().map { Route(index: $0, pattern: pattern($1), upstream: 0, directory: 0) })
    } catch { fatalError("\(error)") }
}()
private let mappings = [
    UpstreamPath(), UpstreamPath(stripPrefix: Array("/v1".utf8)), UpstreamPath(base: Array("/core/v1".utf8)),
    UpstreamPath(stripPrefix: Array("/v2/a".utf8), base: Array("/v1/users".utf8)),
]

private func pattern(_ text: String) -> PathPattern {
    do { return try PathPattern(text) } catch { fatalError("\(text): \(error)") }
}

private func checkRoutes(_ path: [UInt8]) throws(Broken) {
    let expected: RouteTable.Match =
        switch reading(of: path, among: shapes) {
        case .nothing, .misspelled: .notFound
        case .pattern(let index): .route(index)
        case .ambiguous: .ambiguousPath
        }
    let host = Array("a.example".utf8)
    for method in ["GET", "POST"] {
        let found = table.match(host: host.span, path: path.span, method: Array(method.utf8).span)
        try hold(found == expected, "a path's route is \(expected), not \(found)")
    }
}

private func checkCalls(_ path: [UInt8]) throws(Broken) {
    for method in ["GET", "POST", "PUT"].map({ Array($0.utf8) }) {
        let own = calls.indices.filter { calls[$0].method == method }
        let found = callTable.match(path: path.span, method: method.span)
        switch (reading(of: path, among: own.map { calls[$0].pattern.segments }), found) {
        case (.nothing, .none), (.misspelled, .ambiguousPath), (.ambiguous, .ambiguousPath): continue
        case (.pattern(let place), .call(let index, let user)):
            try hold(own[place] == index, "a path's call is \(intents[own[place]]), not \(intents[index])")
            let segments = path.dropFirst().split(separator: slash)
            let expected = calls[index].pattern.segment(named: "user").map { Array(segments[$0]) }
            try hold(user.map { Array(path[$0]) } == expected, "a call's user is the segment of that name")
        case (let expected, let found): throw Broken("a path's call is \(expected), not \(found)")
        }
    }
}

/// What a reader finds that knows nothing of tries.
private enum Reading: Equatable {
    case nothing, misspelled, ambiguous
    case pattern(Int)
}

private func reading(of path: [UInt8], among shapes: [[PathPattern.Segment]]) -> Reading {
    let segments = path.dropFirst().split(separator: slash).map { Array($0) }
    let spelled = shapes.indices.filter { matches(shapes[$0], segments, by: { $0 == $1 }) }
    let loose = shapes.indices.filter { matches(shapes[$0], segments, by: { folded($0) == folded($1) }) }
    let byRank = { (left: Int, right: Int) in rank(shapes[left]).lexicographicallyPrecedes(rank(shapes[right])) }
    guard let best = spelled.min(by: byRank) else { return loose.isEmpty ? .nothing : .misspelled }
    return loose.contains { byRank($0, best) } ? .ambiguous : .pattern(best)
}

private func matches(_ shape: [PathPattern.Segment], _ segments: [[UInt8]], by equal: ([UInt8], [UInt8]) -> Bool) -> Bool {
    let isOpen = shape.last == .rest
    let fixed = isOpen ? shape.dropLast() : shape[...]
    guard isOpen ? segments.count >= fixed.count : segments.count == fixed.count else { return false }
    return zip(fixed, segments).allSatisfy { part, segment in
        if case .literal(let text) = part { return equal(text, segment) }
        return true
    }
}

/// Literal before `{name}` before `**`, and an end before a rest that is nothing.
private func rank(_ shape: [PathPattern.Segment]) -> [Int] {
    shape.map { segment in
        switch segment {
        case .literal: 0
        case .parameter: 1
        case .rest: 2
        }
    }
}

/// As a lax server reads a segment.
private func folded(_ segment: [UInt8]) -> [UInt8] {
    (percentDecodedSegment(segment.span) ?? segment).map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
}

// MARK: bytes

private let slash = UInt8(ascii: "/")
private let forbidden = Array("/\\;".utf8)

private func isHex(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
}

private func isUnreserved(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || Array("-._~".utf8).contains(byte)
}
