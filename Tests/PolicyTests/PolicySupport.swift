import Policy

/// Text as the bytes that rules are asked about.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// What becomes of a path: its canonical form, or the refusal.
func canonical(_ path: String) -> Result<String, Denial> { canonical(bytes(path)) }

func canonical(_ path: [UInt8]) -> Result<String, Denial> {
    do throws(Denial) {
        switch try RequestPath.canonical(path.span) {
        case .asReceived: return .success(text(path))
        case .rewritten(let form): return .success(text(form))
        }
    } catch {
        return .failure(error)
    }
}

func pattern(_ text: String) -> PathPattern {
    do { return try PathPattern(text) } catch { fatalError("\(text): \(error)") }
}

/// A route written as in a file's shortest form: `GET,POST /v1/users`, or only a path for every method; a host after `@`.
func route(_ line: String, directory: Int? = 0, requirement: Requirement = .nothing) -> Route {
    let hostAndRest = line.split(separator: "@")
    let words = hostAndRest[0].split(separator: " ").map(String.init)
    let host = hostAndRest.count > 1 ? HostPattern(String(hostAndRest[1])) : .any
    guard let host else { fatalError("host of \(line)") }
    return Route(
        index: 0, host: host, pattern: pattern(words[words.count - 1]),
        methods: words.count > 1 ? words[0].split(separator: ",").map { bytes(String($0)) } : [],
        upstream: 0, directory: directory, requirement: requirement)
}

func table(_ lines: [String]) -> RouteTable {
    do { return try RouteTable(lines.map { route($0) }) } catch { fatalError("\(error)") }
}

extension RouteTable {
    func match(_ method: String, _ path: String, host: String = "api.example.com") -> Match {
        match(host: bytes(host).span, path: bytes(path).span, method: bytes(method).span)
    }
}

/// A call of a dialect: `POST /v1/users/{user}/suspend`, an intent if it ends in suspend or activate.
func call(_ line: String) -> DialectCall {
    let words = line.split(separator: " ").map(String.init)
    let intent: DialectCall.Intent? = line.hasSuffix("/suspend") ? .suspend : line.hasSuffix("/activate") ? .activate : nil
    return DialectCall(method: bytes(words[0]), pattern: pattern(words[1]), answers: .user, intent: intent, text: line)
}

func tenant(_ text: String, _ format: IDFormat = .string) -> TenantID {
    guard let id = TenantID(bytes(text).span, format: format) else { fatalError(text) }
    return id
}

extension SecondCredential {
    func isHeader(_ name: String) -> Bool { isHeader(bytes(name).span) }
}

extension NameSpelling {
    func matches(_ name: String) -> Bool { matches(bytes(name).span) }
}

extension TenantDecision {
    /// Whether a client's own header goes on unverified.
    static func passes(_ header: String?, allowed: Bool, format: IDFormat) throws -> Bool {
        guard let header else { return try passesUnverified(nil, allowed: allowed, format: format) }
        return try passesUnverified(bytes(header).span, allowed: allowed, format: format)
    }
}
