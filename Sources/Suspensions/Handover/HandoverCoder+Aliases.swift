import Policy

// What an answer has said of users' aliases, as it is told between two processes.
extension HandoverCoder {
    func put(_ word: AliasWord, into out: inout HandoverBytes) {
        out.put(word.asked)
        out.put(word.rows.count)
        for row in word.rows {
            put(Subject(directory: row.directory, tenant: row.tenant, user: row.user), into: &out)
            out.put(row.kind)
            out.put(byte: row.value == nil ? 0 : 1)
            if let value = row.value { out.put(value) }
        }
    }

    /// Without the rows of directories that this process doesn't have.
    func word(_ rest: inout HandoverRest) -> AliasWord? {
        guard let asked = rest.number(), let count = rest.count() else { return nil }
        var rows: [AliasRow] = []
        for _ in 0..<count {
            guard let subject = subject(&rest), let kind = rest.data(), let hasValue = rest.byte() else { return nil }
            var value: [UInt8]?
            if hasValue == 1 {
                guard let data = rest.data() else { return nil }
                value = data
            }
            guard let subject else { continue }
            rows.append(AliasRow(directory: subject.directory, tenant: subject.tenant, kind: kind, user: subject.user, value: value))
        }
        return AliasWord(asked: asked, rows: rows)
    }
}
