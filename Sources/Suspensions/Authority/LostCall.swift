import Policy

/// A call whose outcome is unknown.
struct LostCall: Equatable {
    let wanted: UserState
    /// The user is blocked, and by nothing but this outcome or that of a lost call before it (`on_unknown: suspend`).
    let isBlocking: Bool
    /// Other lost calls for the user may be carried out yet: what it wanted can't be taken for the last word.
    let hasOthers: Bool
}
