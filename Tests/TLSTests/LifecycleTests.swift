import Testing

@testable import TLS

@Test("a connection that sends HTTP in clear is recognised by its first byte")
func plainHTTP() {
    var lifecycle = TLSLifecycle()
    #expect(lifecycle.received(18, first: UInt8(ascii: "G")) == .failure(.plainHTTP))
}
