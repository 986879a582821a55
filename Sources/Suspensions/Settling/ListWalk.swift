import Policy

/// Goes through the pages of one list and keeps what differs from what is known here. Whatever says that the list is not whole ends it:
/// half a list must change nothing.
struct ListWalk {
    private(set) var findings: [Finding] = []
    private(set) var users = 0
    private(set) var pages = 0
    private(set) var silent = 0
    /// Who came with two states on different pages: something has happened meanwhile.
    private(set) var doubtful: Set<Subject> = []
    private var states: [Int: Bool] = [:]
    private var seenPages: Set<Int> = []
    private let list: UserList
    private let isBlocked: (Subject) -> Bool

    init(_ list: UserList, isBlocked: @escaping (Subject) -> Bool) {
        self.list = list
        self.isBlocked = isBlocked
    }

    /// Takes one page. `mark`: when it was asked for. True if another one follows.
    mutating func take(_ page: ListLesson, _ mark: Touches.Mark) throws(ReadFailure) -> Bool {
        pages += 1
        var hasher = Hasher()
        var taught = 0
        for lesson in page.lessons {
            guard case .teaches(let user, let state) = lesson else { continue }
            taught += 1
            hasher.combine(user)
            note(Subject(directory: list.directory, tenant: list.tenant, user: user), state, mark)
        }
        silent += page.lessons.count - taught
        users += taught
        if taught == 0, !page.lessons.isEmpty { throw ReadFailure("page \(pages): nothing in it says who is suspended") }
        guard page.lessons.isEmpty || seenPages.insert(hasher.finalize()).inserted else {
            throw ReadFailure("page \(pages) is one that came before")
        }
        guard users <= Limits.reconciledUsers else { throw ReadFailure("there are more than \(Limits.reconciledUsers) users") }
        let hasMore = try hasMore(page)
        if !hasMore, let total = page.total, total > users + silent {
            throw ReadFailure("the list ends after \(users + silent) users, but says that there are \(total)")
        }
        return hasMore
    }

    private func hasMore(_ page: ListLesson) throws(ReadFailure) -> Bool {
        guard list.hasPages else { return false }
        guard let hasMore = page.hasMore else { throw ReadFailure("page \(pages) doesn't say whether more follow") }
        if hasMore, page.lessons.isEmpty { throw ReadFailure("page \(pages) is empty, but says that more follow") }
        if hasMore, pages >= Limits.reconcilePages { throw ReadFailure("the list has no end: \(pages) pages") }
        return hasMore
    }

    private mutating func note(_ subject: Subject, _ state: UserState, _ mark: Touches.Mark) {
        let key = subject.user.hashValue
        if let other = states.updateValue(state == .suspended, forKey: key), other != (state == .suspended) { doubtful.insert(subject) }
        guard isBlocked(subject) != (state == .suspended) else { return }
        findings.append(Finding(subject: subject, state: state, mark: mark))
    }
}
