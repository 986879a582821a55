import TestSupport

/// Frames that break RFC 9113 §3 to §6: what they do to the connection or their stream.
enum HTTP2Frames {
    static let all = prefaces + sizes + hpack + states + frames + settings + windows + continuations

    private typealias Frame = HTTP2Frame
    private static let get = HTTP2Frame.headers(1, GoodStream.fields())
    private static let open = HTTP2Frame.headers(1, GoodStream.fields("POST", "/v1/page"), end: false)

    static let prefaces: [HTTP2Case] = [
        HTTP2Case(
            "3.4: HTTP/1.1 in place of the preface", .connection([]), bytes: Array(GoodRequest.target("/v1/page").utf8), greets: false),
        HTTP2Case(
            "3.4: a preface that goes wrong at its end", .connection([]), bytes: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX".utf8),
            greets: false),
        HTTP2Case(
            "3.4: PING before SETTINGS", .protocolError, bytes: Frame.preface + Frame.ping().bytes, greets: false),
        HTTP2Case("3.4: a request before SETTINGS", .protocolError, bytes: Frame.preface + get.bytes, greets: false),
        HTTP2Case(
            "3.4: an acknowledgement before SETTINGS", .protocolError,
            bytes: Frame.preface + Frame(.settings, flags: Frame.ack).bytes, greets: false),
    ]

    static let sizes: [HTTP2Case] = [
        HTTP2Case("4.2: DATA of 16385 bytes", .frameSize, open, .data(1, Array(repeating: 65, count: 16385)), late: true),
        HTTP2Case("4.2: HEADERS of 16385 bytes", .frameSize, Frame(.headers, flags: 5, stream: 1, Array(repeating: 0x82, count: 16385))),
        HTTP2Case("6.5: SETTINGS of 5 bytes", .frameSize, Frame(.settings, [0, 1, 0, 0, 0])),
        HTTP2Case("6.5: an acknowledgement with a setting", .frameSize, Frame(.settings, flags: Frame.ack, [0, 3, 0, 0, 0, 1])),
        HTTP2Case("6.7: PING of 7 bytes", .frameSize, Frame(.ping, [1, 2, 3, 4, 5, 6, 7])),
        HTTP2Case("6.9: WINDOW_UPDATE of 3 bytes", .frameSize, Frame(.windowUpdate, [0, 0, 1])),
        HTTP2Case("6.4: RST_STREAM of 3 bytes", .frameSize, open, Frame(.rstStream, stream: 1, [0, 0, 8]), late: true),
        HTTP2Case("6.3: PRIORITY of 4 bytes", .frameSize, Frame(.priority, stream: 1, [0, 0, 0, 1])),
        HTTP2Case("6.8: GOAWAY of 7 bytes", .frameSize, Frame(.goaway, [0, 0, 0, 0, 0, 0, 0])),
        HTTP2Case("6.2: HEADERS with PRIORITY of 4 bytes", .frameSize, Frame(.headers, flags: 0x25, stream: 1, [0, 0, 0, 1])),
    ]

    private static func block(_ bytes: [UInt8]) -> HTTP2Frame { Frame(.headers, flags: 5, stream: 1, bytes) }

    static let hpack: [HTTP2Case] = [
        HTTP2Case("7541 6.1: index 0", .compression, block([0x80])),
        HTTP2Case("7541 2.3.3: an index beyond the tables", .compression, block([0xBE])),
        HTTP2Case("7541 2.3.3: a name beyond the tables", .compression, block([0x7F, 0x20, 1, 65])),
        HTTP2Case("7541 5.1: an integer without end", .compression, block([0xFF] + Array(repeating: 0xFF, count: 20))),
        HTTP2Case("7541 5.2: a string longer than the block", .compression, block([0, 5, 65])),
        HTTP2Case("7541 5.2: Huffman padding of zeros", .compression, block([0, 0x81, 0x18, 1, 65])),
        HTTP2Case("7541 5.2: Huffman padding of a byte", .compression, block([0, 0x82, 0x1F, 0xFF, 1, 65])),
        HTTP2Case("7541 5.2: Huffman with EOS", .compression, block([0, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1, 65])),
        HTTP2Case("7541 6.3: a table larger than allowed", .compression, block([0x3F, 0xE2, 0x7F])),
        HTTP2Case("7541 4.2: a table's size behind a field", .compression, block([0x82, 0x20])),
        HTTP2Case("4.3: a truncated field", .compression, block([0x40])),
    ]

    static let states: [HTTP2Case] = [
        HTTP2Case("5.1: DATA on an idle stream", .protocolError, .data(1, [65])),
        HTTP2Case("5.1: RST_STREAM on an idle stream", .protocolError, .reset(1)),
        HTTP2Case("5.1: WINDOW_UPDATE on an idle stream", .protocolError, .window(1, 1)),
        HTTP2Case(
            "5.1: DATA on a stream whose request has ended", .connection([HTTP2Codes.streamClosed]), GoodStream.without(":path"),
            .data(1, [65])),
        HTTP2Case(
            "5.1: HEADERS on a stream whose request has ended", .connection([HTTP2Codes.streamClosed]), GoodStream.without(":path"), get),
        HTTP2Case(
            "5.1: HEADERS on a stream that the client has reset", .connection([HTTP2Codes.streamClosed, HTTP2Codes.protocolError]), open,
            .reset(1), get, late: true),
        HTTP2Case("5.1: DATA on a stream that the client has reset", .silence, open, .reset(1), .data(1, [65]), late: true),
        HTTP2Case("5.1.1: a stream with an even number", .protocolError, .headers(2, GoodStream.fields())),
        HTTP2Case(
            "5.1.1: a stream below one that was opened", .connection([HTTP2Codes.protocolError, HTTP2Codes.streamClosed]),
            .headers(5, GoodStream.pseudo()), .headers(3, GoodStream.fields())),
        HTTP2Case("5.1.1: a request on stream 0", .protocolError, .headers(0, GoodStream.fields())),
    ]

    static let frames: [HTTP2Case] = [
        HTTP2Case("6.1: DATA on stream 0", .protocolError, .data(0, [65])),
        HTTP2Case("6.1: more padding than DATA", .protocolError, open, Frame(.data, flags: 9, stream: 1, [5, 65]), late: true),
        HTTP2Case(
            "6.1: padded DATA without its length", .connection([HTTP2Codes.protocolError, HTTP2Codes.frameSize]), open,
            Frame(.data, flags: 9, stream: 1), late: true),
        HTTP2Case(
            "6.2: more padding than HEADERS", .protocolError,
            Frame(.headers, flags: 0x0D, stream: 1, [200] + HPACK.block(GoodStream.fields()).prefix(20))),
        HTTP2Case("6.3: PRIORITY on stream 0", .protocolError, Frame(.priority, [0, 0, 0, 1, 5])),
        HTTP2Case("6.4: RST_STREAM on stream 0", .protocolError, .reset(0)),
        HTTP2Case(
            "6.6: PUSH_PROMISE from a client", .protocolError, open, Frame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2, 0x82]),
            late: true),
        HTTP2Case("6.7: PING on a stream", .protocolError, Frame(.ping, stream: 1, [1, 2, 3, 4, 5, 6, 7, 8])),
        HTTP2Case("6.8: GOAWAY on a stream", .protocolError, Frame(.goaway, stream: 1, [0, 0, 0, 0, 0, 0, 0, 0])),
    ]

    static let settings: [HTTP2Case] = [
        HTTP2Case("6.5: SETTINGS on a stream", .protocolError, Frame(.settings, stream: 1, [0, 3, 0, 0, 0, 1])),
        HTTP2Case("6.5.2: ENABLE_PUSH 2", .protocolError, .settings([(2, 2)])),
        HTTP2Case("6.5.2: a window beyond 2^31 - 1", .connection([HTTP2Codes.flowControl]), .settings([(4, 0x8000_0000)])),
        HTTP2Case("6.5.2: frames of less than 16384 bytes", .protocolError, .settings([(5, 16383)])),
        HTTP2Case("6.5.2: frames of more than 2^24 - 1 bytes", .protocolError, .settings([(5, 1 << 24)])),
    ]

    static let windows: [HTTP2Case] = [
        HTTP2Case("6.9: a window update of 0 for the connection", .protocolError, .window(0, 0)),
        HTTP2Case("6.9: a window update of 0 for a stream", .protocolError, open, .window(1, 0), late: true),
        HTTP2Case(
            "6.9.1: a connection's window beyond 2^31 - 1", .connection([HTTP2Codes.flowControl]), .window(0, 0x7FFF_FFFF), .window(0, 1)),
        HTTP2Case(
            "6.9.1: a stream's window beyond 2^31 - 1", .stream([HTTP2Codes.flowControl]), open, .window(1, 0x7FFF_FFFF), late: true),
        HTTP2Case(
            "6.9.2: a new initial window that overflows", .stream([HTTP2Codes.flowControl]), open, .window(1, 0x7FFF_0000),
            .settings([(4, 0x7FFF_FFFF)]), late: true),
    ]

    static let continuations: [HTTP2Case] = [
        HTTP2Case("6.10: CONTINUATION without HEADERS", .protocolError, Frame(.continuation, flags: 4, stream: 1, [0x82])),
        HTTP2Case(
            "6.10: CONTINUATION behind END_HEADERS", .protocolError, GoodStream.without(":path"),
            Frame(.continuation, flags: 4, stream: 1, [0x82])),
        HTTP2Case(
            "6.10: CONTINUATION of another stream", .protocolError, Frame(.headers, flags: 1, stream: 1, [0x82]),
            Frame(.continuation, flags: 4, stream: 3, [0x84])),
        HTTP2Case(
            "6.10: CONTINUATION on stream 0", .protocolError, Frame(.headers, flags: 1, stream: 1, [0x82]),
            Frame(.continuation, flags: 4, stream: 0, [0x84])),
        HTTP2Case("6.2: PING inside a header block", .protocolError, Frame(.headers, flags: 1, stream: 1, [0x82]), .ping()),
        HTTP2Case(
            "6.2: another request inside a header block", .protocolError, Frame(.headers, flags: 1, stream: 1, [0x82]),
            .headers(3, GoodStream.fields())),
        HTTP2Case(
            "5.5: an unknown frame inside a header block", .protocolError, Frame(.headers, flags: 1, stream: 1, [0x82]),
            Frame(.unknown, stream: 1, [1])),
        HTTP2Case("CVE-2024-28182: many CONTINUATIONs", .connection([]), bytes: HTTP2Messages.split(GoodStream.fields(), 40)),
    ]
}
