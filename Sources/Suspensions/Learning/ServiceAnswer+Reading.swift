import StrictJSON

extension ServiceAnswer {
    /// Whether the status says that what was asked for is done, body or not. 202 says "later", 203 "somebody rewrote it", 206 "a part".
    var isFinal: Bool { status == 200 || status == 201 || status == 204 }

    /// The body as a strict JSON object, where status, coding and type allow to learn from it.
    func document() throws(Silence) -> JSONDocument {
        guard status == 200 || status == 201 else { throw .status(status) }
        guard isIdentityCoding(contentEncoding) else { throw .contentCoding }
        guard isJSONType(contentType) else { throw .contentType }
        guard !body.isEmpty else { throw .empty }
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(body, limits: .answer)
        } catch {
            throw .json(error)
        }
        // A bare array is a list (`items: ""`); everything else that is no object is nobody's answer.
        guard document.root.kind == .object || document.root.kind == .array else { throw .notAnObject }
        return document
    }
}
