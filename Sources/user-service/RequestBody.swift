import StrictJSON

/// A request's body: one JSON object, read strictly, whose members are asked for by name. What is missing or of another type is 400.
struct RequestBody: Sendable {
    private let document: JSONDocument

    init(_ bytes: [UInt8]) throws {
        do throws(JSONError) {
            document = try JSONDocument(bytes, limits: .answer)
        } catch {
            throw ServiceError.badRequest("The body is not JSON: \(error).")
        }
        guard document.root.kind == .object else { throw ServiceError.badRequest("The body must be a JSON object.") }
    }

    func has(_ name: String) -> Bool { document.member(name, of: document.root) != nil }

    func isNull(_ name: String) -> Bool { document.member(name, of: document.root)?.kind == .null }

    func flag(_ name: String) throws -> Bool {
        guard let value = document.member(name, of: document.root), let flag = document.bool(value) else {
            throw ServiceError.badRequest("\(name) must be true or false.")
        }
        return flag
    }

    func text(_ name: String) throws -> String {
        guard let value = document.member(name, of: document.root), let text = document.string(value) else {
            throw ServiceError.badRequest("\(name) must be a string.")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A whole number; nil where it is absent.
    func integer(_ name: String) throws -> Int? {
        guard let value = document.member(name, of: document.root) else { return nil }
        guard case .integer(let integer) = document.number(value) else {
            throw ServiceError.badRequest("\(name) must be a whole number.")
        }
        return Int(integer)
    }

    /// A list of strings; empty where it is absent.
    func texts(_ name: String) throws -> [String] {
        guard let list = document.member(name, of: document.root) else { return [] }
        guard list.kind == .array else { throw ServiceError.badRequest("\(name) must be an array.") }
        var texts: [String] = []
        var isClean = true
        document.forEachElement(of: list) { element in
            if let text = document.string(element) { texts.append(String(decoding: text, as: UTF8.self)) } else { isClean = false }
            return isClean
        }
        guard isClean else { throw ServiceError.badRequest("\(name) must hold strings only.") }
        return texts
    }
}

/// What a PATCH may change: names, roles, the avatar, and JITSudo's `active`.
struct UserEdit: Sendable {
    private let body: RequestBody

    init(body: [UInt8]) throws { self.body = try RequestBody(body) }

    func apply(to user: inout DemoUser, at time: String) throws {
        if body.has("name") {
            let names = try body.text("name").split(separator: " ", maxSplits: 1).map(String.init)
            user.firstName = names.first ?? ""
            user.lastName = names.dropFirst().first ?? ""
        }
        if body.has("first_name") { user.firstName = try body.text("first_name") }
        if body.has("last_name") { user.lastName = try body.text("last_name") }
        if body.has("roles") { user.roles = try body.texts("roles") }
        if body.has("avatar_base64") { user.avatar = body.isNull("avatar_base64") ? nil : try body.text("avatar_base64") }
        if body.has("active") {
            let active = try body.flag("active")
            if user.isOwner && !active { throw ServiceError.ownerIsProtected }
            user.setActive(active, at: time)
        }
    }
}
