import Policy
import StrictJSON

/// How a user object of a document tells who it is and whether that user may act.
struct UserEntry {
    let document: JSONDocument
    let shape: UserShape
    let format: IDFormat

    func lesson(_ value: JSONValue) -> Lesson {
        do throws(Silence) {
            let (user, state) = try read(value)
            return .teaches(user, state)
        } catch {
            return .teachesNothing(error)
        }
    }

    func read(_ value: JSONValue) throws(Silence) -> (UserID, UserState) {
        guard value.kind == .object else { throw .notAnObject }
        return (try user(value), try state(value))
    }

    private func user(_ object: JSONValue) throws(Silence) -> UserID {
        guard let value = document.value(at: shape.id.steps, from: object) else { throw .noID }
        return try document.user(value, format)
    }

    private func state(_ object: JSONValue) throws(Silence) -> UserState {
        let value = document.value(at: shape.suspended.steps, from: object)
        switch shape.test {
        case .boolean(let suspended):
            guard let value else { throw .noState }
            guard let said = document.bool(value) else { throw .stateType }
            return said == suspended ? .suspended : .active
        case .dateTime:
            guard let value else {
                // Absent means active only where the object that would hold it is there.
                let holder = document.value(at: shape.suspended.steps.dropLast(), from: object)
                guard holder?.kind == .object else { throw .noState }
                return .active
            }
            if value.kind == .null { return .active }
            guard let text = document.string(value) else { throw .stateType }
            guard DateTime(text) != nil else { throw .stateDate }
            return .suspended
        }
    }
}

extension JSONDocument {
    /// The user whose id this is, a string or an integer.
    func user(_ value: JSONValue, _ format: IDFormat) throws(Silence) -> UserID {
        guard let spelling = string(value) ?? integerDigits(value) else { throw .idType }
        guard let user = UserID(spelling.span, format: format) else { throw .idFormat }
        return user
    }

    /// An integer's own digits, of any length: never by way of a double. `1e3`, `17.0` and `-0` are not how anybody writes an id.
    private func integerDigits(_ value: JSONValue) -> [UInt8]? {
        guard value.kind == .number else { return nil }
        let text = Array(text(value))
        guard text != Array("-0".utf8), text.allSatisfy({ 48...57 ~= $0 || $0 == UInt8(ascii: "-") }) else { return nil }
        return text
    }
}
