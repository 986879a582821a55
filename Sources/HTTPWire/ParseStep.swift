/// What came of giving more bytes to a parser.
package enum ParseStep: Equatable, Sendable {
    /// The head isn't all there. Its bytes were not consumed: call again with all of them and more behind them.
    case needMore
    /// The head was consumed and stands in the `inout` head.
    case complete
    /// The message is refused. Every later call gives the same answer: the connection can't be used again.
    case failed(WireError)
}
