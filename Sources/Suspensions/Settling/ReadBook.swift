import Policy

/// Which users are to be read with the service credential, and when: at most so many of a directory at a time, each again later and later.
/// No clock, no socket.
struct ReadBook {
    /// A read of one user, by a number that is never used twice.
    typealias Number = Int64

    struct Entry {
        /// Until when a call whose answer was lost may still be carried out; nanoseconds, `.min` where none was.
        var lateUntil: Int64
        /// When the next read is due; `.max`: not before there is a credential.
        var due: Int64
        /// Reads since it was last due at once.
        var attempts = 0
        var running: Read?
        /// It stands in its directory's line.
        var isInLine = false
    }

    struct Read: Equatable {
        let number: Number
        /// When it was asked for, in nanoseconds and in the order of what happens.
        let asked: Int64
        let mark: Touches.Mark
    }

    private(set) var entries: [Subject: Entry] = [:]
    /// Who is due, first come first served.
    private var lines: [DirectoryIndex: ReadLine] = [:]
    private var services: [DirectoryIndex: ServicePause] = [:]
    private var lastNumber: Number = 0
    /// Nobody outside the lines is due before.
    private var nextDue = Int64.max
    private(set) var running = 0

    var isFull: Bool { entries.count >= Limits.usersToRead }
    subscript(_ subject: Subject) -> Entry? { entries[subject] }

    /// Whether a lost call for the user may still be carried out.
    func isLate(_ subject: Subject, at now: Int64) -> Bool { entries[subject].map { $0.lateUntil > now } ?? false }

    /// Has the user read at `due`, and again until `lateUntil` is over. Without effect on a new user where the book is full.
    mutating func enter(_ subject: Subject, lateUntil: Int64 = .min, due: Int64) {
        guard entries[subject] != nil || !isFull else { return }
        var entry = entries[subject] ?? Entry(lateUntil: lateUntil, due: due)
        entry.lateUntil = max(entry.lateUntil, lateUntil)
        entry.due = min(entry.due, due)
        entry.attempts = 0
        entries[subject] = entry
        nextDue = min(nextDue, entry.due)
    }

    mutating func remove(_ subject: Subject) { entries[subject] = nil }

    /// The user has been read to no end: again after a while, twice as long each time, but also when the last lost call can't come any more.
    mutating func again(_ subject: Subject, at now: Int64, spread: Double) {
        guard var entry = entries[subject] else { return }
        entry.due = now + Self.delay(entry.attempts, Limits.readAgainSeconds, spread)
        entry.attempts += 1
        if entry.lateUntil > now { entry.due = min(entry.due, entry.lateUntil) }
        entries[subject] = entry
        nextDue = min(nextDue, entry.due)
    }

    /// Due at once, or as soon as its turn is free.
    mutating func soon(_ subject: Subject, at now: Int64) {
        guard entries[subject] != nil else { return }
        entries[subject]?.due = now
        nextDue = min(nextDue, now)
    }

    /// The subject's turn is free again.
    mutating func turnIsFree(of subject: Subject) {
        if let entry = entries[subject], entry.running == nil { nextDue = min(nextDue, entry.due) }
    }

    /// There is no credential for the user: nothing is due until there is.
    mutating func rest(_ subject: Subject) { entries[subject]?.due = .max }

    /// Credentials have changed: whoever waits for one is due, and services are tried anew.
    mutating func wake(at now: Int64) {
        for (subject, entry) in entries where entry.due == .max { entries[subject]?.due = now }
        for directory in services.keys { services[directory]?.failures = 0 }
        nextDue = now
    }

    /// Reads that are to begin now; they are running then. `isBusy`: a call is on its way, after whose end `turnIsFree` is called.
    mutating func begin(at now: Int64, _ mark: Touches.Mark, isBusy: (Subject) -> Bool) -> [(subject: Subject, read: Read)] {
        if now >= nextDue { lineUp(at: now) }
        var begun: [(subject: Subject, read: Read)] = []
        for directory in lines.keys {
            while services[directory, default: ServicePause()].takes(at: now), let subject = lines[directory]?.next() {
                entries[subject]?.isInLine = false
                guard let entry = entries[subject], entry.running == nil else { continue }
                guard entry.due <= now else {
                    // Put off while it stood in line, when nobody looked at when it is due.
                    nextDue = min(nextDue, entry.due)
                    continue
                }
                guard !isBusy(subject) else { continue }
                lastNumber += 1
                let read = Read(number: lastNumber, asked: now, mark: mark)
                services[directory, default: ServicePause()].running += 1
                running += 1
                entries[subject]?.running = read
                begun.append((subject, read))
            }
        }
        return begun
    }

    /// A read has come back; nil where nobody waits for it any more.
    mutating func ended(_ subject: Subject, _ number: Number, isSick: Bool, at now: Int64, spread: Double) -> Read? {
        running -= 1
        services[subject.directory]?.ended(isSick: isSick, at: now, spread: spread)
        guard let read = entries[subject]?.running, read.number == number else { return nil }
        entries[subject]?.running = nil
        return read
    }

    private mutating func lineUp(at now: Int64) {
        nextDue = .max
        var due: [(subject: Subject, due: Int64)] = []
        for (subject, entry) in entries where entry.running == nil && !entry.isInLine {
            if entry.due <= now { due.append((subject, entry.due)) } else { nextDue = min(nextDue, entry.due) }
        }
        for (subject, _) in due.sorted(by: { $0.due < $1.due }) {
            entries[subject]?.isInLine = true
            lines[subject.directory, default: ReadLine()].add(subject)
        }
    }

    /// Doubled with each attempt, within the bounds, and spread from one half to three halves.
    static func delay(_ attempts: Int, _ bounds: ClosedRange<Int64>, _ spread: Double) -> Int64 {
        let seconds = min(bounds.lowerBound << Int64(min(attempts, 20)), bounds.upperBound)
        return Int64(Double(seconds) * 1_000_000_000 * (0.5 + spread))
    }
}

/// Users who wait to be read, in order.
private struct ReadLine {
    private var subjects: [Subject] = []
    private var first = 0

    mutating func add(_ subject: Subject) { subjects.append(subject) }

    mutating func next() -> Subject? {
        guard first < subjects.count else { return nil }
        defer {
            first += 1
            if first * 2 > subjects.count {
                subjects.removeFirst(first)
                first = 0
            }
        }
        return subjects[first]
    }
}

/// How many reads a directory's service takes now: several, or while it fails none and then one.
struct ServicePause {
    var running = 0
    /// In a row.
    var failures = 0
    private var until = Int64.min

    func takes(at now: Int64) -> Bool { failures == 0 ? running < Limits.readsAtOnce : running == 0 && now >= until }

    mutating func ended(isSick: Bool, at now: Int64, spread: Double) {
        running -= 1
        guard isSick else {
            failures = 0
            return
        }
        // Those that were under way when the first of them failed are one failure with it.
        guard failures == 0 || now >= until else { return }
        until = now + ReadBook.delay(failures, Limits.sickServiceSeconds, spread)
        failures += 1
    }
}
