import NIOCore
import Testing

@testable import HTTPWire

@Suite("A request's head")
struct RequestParserTests {
    @Test("is read in place")
    func inPlace() throws {
        var input = ByteBuffer(
            string: "GET /v1/users?x=1 HTTP/1.1\r\nHost: a.example:8443\r\nAuthorization:  Bearer t \r\nX_Tenant_ID: 1\r\n\r\nrest")
        var head = RequestHead()
        var parser = RequestParser(limits: WireLimits())
        #expect(parser.parse(&input, into: &head) == .complete)
        #expect(head.method == .get)
        #expect(head.variants.contains(.xTenantID))
        #expect(input.readableBytes == 4)
        #expect(head.fields.count == 3)
        #expect(FieldID.allCases.count <= 64)
    }
}
