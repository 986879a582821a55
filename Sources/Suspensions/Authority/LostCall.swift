import Policy

/// A call whose outcome is unknown.
struct LostCall: Equatable {
    let wanted: UserState
    /// The user is blocked, and by nothing but this outcome or that of a lost call before it (`on_unknown: suspend`).
    let isBlocking: Bool
    /// Other lost calls for the user may be carried out yet: what it wanted can't be taken for the last word.
    let hasOthers: Bool
    /// When it was lost, as the fleet is told.
    var mark = LossMark()
}

/// When a call was lost, in the order of the shared log.
struct LossMark: Equatable {
    /// Its place among this run's losses; those of runs before come first.
    var serial: Int64 = 0
    /// A number of the shared log that was given out after the loss: a call that began when it was in force at its gateway began after the
    /// lost one, and settles it. Nil until there is one.
    var number: Int64?
}
