/// One reader put under any bytes at all, and what must hold of it whatever they are.
///
/// To add one: a file here with its check, a line in `all`, a folder `Tests/Fuzz/Corpus/NAME` of small files. The corpus is replayed by
/// the ordinary tests; `TENANTGATE_FUZZ=NAME swift run --sanitize fuzzer --scratch-path .build-fuzz fuzz-driver NEW Tests/Fuzz/Corpus/NAME`
/// looks for more and puts what it finds into the folder NEW.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// The name of its corpus folder.
    package let name: String
    /// Throws what doesn't hold.
    package let check: @Sendable ([UInt8]) throws(Broken) -> Void

    package var description: String { name }

    package static let all: [FuzzTarget] = [
        FuzzTarget(name: "answer-head", check: fuzzAnswerHead),
        FuzzTarget(name: "chunked-body", check: fuzzChunks),
        FuzzTarget(name: "file", check: fuzzFile),
        FuzzTarget(name: "http2", check: fuzzHTTP2),
        FuzzTarget(name: "json", check: fuzzJSON),
        FuzzTarget(name: "request-head", check: fuzzRequestHead),
        FuzzTarget(name: "request-path", check: fuzzPath),
        FuzzTarget(name: "token", check: fuzzToken),
    ]
}

/// An invariant that some bytes broke.
package struct Broken: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// States what must hold.
func hold(_ condition: Bool, _ statement: @autoclosure () -> String) throws(Broken) {
    if !condition { throw Broken(statement()) }
}
