/// A date-time of RFC 3339 §5.6, checked against the calendar: `2026-02-29T00:00:00Z` is none.
package struct DateTime: Sendable, Equatable {
    /// Seconds since 1970-01-01T00:00:00Z, without the fraction. A leap second counts as the second after it.
    package let unixSeconds: Int64

    /// Nil for everything else: `T` and `Z` may be lower case, a space between date and time is not taken; offsets go to ±23:59; second
    /// 60 only where it is 23:59 in UTC on the last day of a month (RFC 3339 appendix D).
    package init?(_ text: [UInt8]) {
        var scan = DigitScan(text)
        guard let year = scan.number(4), scan.take("-"), let month = scan.number(2), scan.take("-"), let day = scan.number(2),
            scan.take("Tt"), let hour = scan.number(2), scan.take(":"), let minute = scan.number(2), scan.take(":"),
            let second = scan.number(2), scan.fraction(), let offset = scan.offset(), scan.isAtEnd,
            1...12 ~= month, 1...daysIn(month, year: year) ~= day, hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let minutes = (Int64(daysSince1970(year, month, day)) * 24 + Int64(hour)) * 60 + Int64(minute) - Int64(offset)
        if second == 60, !isMonthsLastMinute(minutes) { return nil }
        unixSeconds = minutes * 60 + Int64(second)
    }
}

/// Whether the next minute (UTC, since 1970) begins a month.
private func isMonthsLastMinute(_ minutes: Int64) -> Bool {
    let next = minutes + 1
    guard next % (24 * 60) == 0 else { return false }
    return dayOfMonth(Int(next / (24 * 60))) == 1
}

private func daysIn(_ month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March (Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
private func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The other way round (`civil_from_days`), as far as the day.
private func dayOfMonth(_ days: Int) -> Int {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    return dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
}

private struct DigitScan {
    private let text: [UInt8]
    private var at = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
        guard text.count - at >= count else { return nil }
        var value = 0
        for byte in text[at..<at + count] {
            guard 48...57 ~= byte else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        at += count
        return value
    }

    /// One of `choices`.
    mutating func take(_ choices: String) -> Bool {
        guard at < text.count, choices.utf8.contains(text[at]) else { return false }
        at += 1
        return true
    }

    /// `.` and one or more digits, or nothing; false where a point has no digits.
    mutating func fraction() -> Bool {
        guard take(".") else { return true }
        let start = at
        while take("0123456789") {}
        return at > start
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int? {
        if take("Zz") { return 0 }
        let isWest = at < text.count && text[at] == UInt8(ascii: "-")
        guard take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours <= 23, minutes <= 59 else { return nil }
        return (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
}
