package import NIOCore

extension ByteBuffer {
    /// Appends an IMF-fixdate (RFC 9110 §5.6.7), `Sun, 06 Nov 1994 08:49:37 GMT`: always 29 bytes. `seconds` is Unix time, the year 1970
    /// to 9999. It changes once a second: whoever sends many keeps the bytes.
    package mutating func writeHTTPDate(_ seconds: Int64) {
        let time = Int(min(max(seconds, 0), 253_402_300_799))
        let date = CivilDate(daysSince1970: time / 86_400)
        writeStaticString(date.weekday)
        writeStaticString(", ")
        writeTwoDigits(date.day)
        writeStaticString(date.monthName)
        writeDecimal(date.year)
        writeStaticString(" ")
        writeTwoDigits(time / 3600 % 24)
        writeStaticString(":")
        writeTwoDigits(time / 60 % 60)
        writeStaticString(":")
        writeTwoDigits(time % 60)
        writeStaticString(" GMT")
    }

    private mutating func writeTwoDigits(_ number: Int) {
        writeInteger(UInt8(ascii: "0") + UInt8(number / 10))
        writeInteger(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

/// A day of the Gregorian calendar.
package struct CivilDate {
    package let year: Int
    /// 1…12.
    package let month: Int
    /// 1…31.
    package let day: Int
    let weekday: StaticString

    /// Howard Hinnant's `civil_from_days`: years start in March, so that the leap day is the last; eras have 400 years.
    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = shifted / 146_097 * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        weekday =
            switch days % 7 {
            case 0: "Thu"
            case 1: "Fri"
            case 2: "Sat"
            case 3: "Sun"
            case 4: "Mon"
            case 5: "Tue"
            default: "Wed"
            }
    }

    /// Nil for a day that no calendar has, and for years before 1970.
    package init?(year: Int, month: Int, day: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        self.init(daysSince1970: Self.days(year, month, day))
        guard self.year == year, self.month == month, self.day == day else { return nil }
    }

    package var daysSince1970: Int { Self.days(year, month, day) }

    /// Hinnant's `days_from_civil`.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `2027-01-31`.
    package var text: String {
        func digits(_ value: Int, _ width: Int) -> String { String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)" }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    }

    /// With the spaces around it.
    var monthName: StaticString {
        switch month {
        case 1: " Jan "
        case 2: " Feb "
        case 3: " Mar "
        case 4: " Apr "
        case 5: " May "
        case 6: " Jun "
        case 7: " Jul "
        case 8: " Aug "
        case 9: " Sep "
        case 10: " Oct "
        case 11: " Nov "
        default: " Dec "
        }
    }
}
