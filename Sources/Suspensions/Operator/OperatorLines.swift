import StrictJSON

/// Blocks, calls and log entries as JSON Lines.
extension OperatorDesk {
    /// Writes every blocked user once, as `importLines` reads it. Sources are not told apart: what is imported is the operator's.
    package func exportLines(_ body: ([UInt8]) throws -> Void) throws {
        var last: NamedUser?
        try ledger.forEachStandingBlock { block in
            guard block.user != last else { return }
            last = block.user
            try body(block.exportedLine)
        }
    }
}

extension StandingBlock {
    /// As `importLines` reads it.
    package var exportedLine: [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        line.write(user)
        if let reason { line.member("reason", reason) }
        line.member("at", timestamp(since))
        line.endObject()
        return line.bytes
    }

    /// For listings: the export's members and how it is known.
    package var line: [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        line.write(user)
        line.member("source", source.name)
        line.member("learned", learned.name)
        if isContested { line.member("contested", true) }
        if let reason { line.member("reason", reason) }
        line.member("at", timestamp(since))
        line.endObject()
        return line.bytes
    }
}

extension StandingCall {
    /// For listings.
    package var line: [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        line.member("unconfirmed", call.wanted == .suspended ? "suspend" : "reactivate")
        line.write(user)
        line.member("caller", call.caller)
        line.member("request", call.requestID)
        line.member("cause", call.cause)
        line.member("at", timestamp(call.at))
        line.endObject()
        return line.bytes
    }
}

extension LogEntry {
    /// For `suspensions log`.
    package var line: [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        line.member("number", number)
        line.member("at", timestamp(at))
        line.write(NamedUser(directory: directory, tenant: tenant, user: user))
        line.member("source", source.name)
        line.member("from", from == .suspended ? "suspended" : "active")
        line.member("to", to == .suspended ? "suspended" : "active")
        line.member("learned", learned.name)
        line.member("actor", actor)
        if !requestID.isEmpty { line.member("request", requestID) }
        if !reason.isEmpty { line.member("reason", reason) }
        line.endObject()
        return line.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ user: NamedUser) {
        member("directory", user.directory)
        if let tenant = user.tenant { member("tenant", tenant) }
        member("user", user.user)
    }
}

/// RFC 3339 in UTC with milliseconds (days to dates after Howard Hinnant, "chrono-compatible low-level date algorithms").
package func timestamp(_ milliseconds: Int64) -> String {
    let (day, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let time = rest < 0 ? rest + 86_400_000 : rest
    let z = (rest < 0 ? day - 1 : day) + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2))"
    let clock = "\(padded(time / 3_600_000, 2)):\(padded(time / 60_000 % 60, 2)):\(padded(time / 1000 % 60, 2))"
    return "\(date)T\(clock).\(padded(time % 1000, 3))Z"
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
}
