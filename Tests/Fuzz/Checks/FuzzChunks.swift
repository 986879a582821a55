import HTTPWire
import NIOCore

/// A chunked body has the same data, trailers and end however it arrives; encoded again it says the same.
func fuzzChunks(_ bytes: [UInt8]) throws(Broken) {
    let whole = decoded(bytes, by: bytes.count)
    try hold(decoded(bytes, by: 1) == whole, "cuts don't change what a body is")
    try hold(decoded(bytes, by: 7) == whole, "cuts don't change what a body is")
    guard whole.hasEnded else { return }
    try hold(whole.data.count < bytes.count, "chunks take more room than their data")
    try hold(!whole.trailers.contains { FieldSet.forbiddenInTrailers.contains($0) }, "no trailer stands for a head's field")

    var encoded = ByteBuffer()
    for start in stride(from: 0, to: whole.data.count, by: 100) {
        let piece = whole.data[start..<min(start + 100, whole.data.count)]
        ChunkEncoder.writeSize(piece.count, into: &encoded)
        encoded.writeBytes(piece)
        ChunkEncoder.writeEnd(into: &encoded)
    }
    ChunkEncoder.writeLast(into: &encoded)
    let again = decoded(Array(encoded.readableBytesView), by: 64)
    try hold(again.hasEnded && again.data == whole.data && again.rest == 0, "what is encoded can be decoded")
}

private struct Decoded: Equatable {
    var data: [UInt8] = []
    var trailers: [FieldID] = []
    var hasEnded = false
    var rest = 0
    var error: WireError?
}

/// Gives `bytes` in pieces of `size` until the body ends or is refused.
private func decoded(_ bytes: [UInt8], by size: Int) -> Decoded {
    var decoder = BodyDecoder(.chunked, limits: WireLimits())
    var decoded = Decoded()
    var input = ByteBuffer()
    var sent = 0
    while sent < bytes.count, !decoded.hasEnded, decoded.error == nil {
        let end = min(sent + size, bytes.count)
        input.writeBytes(bytes[sent..<end])
        sent = end
        take(from: &decoder, &input, into: &decoded)
    }
    if decoded.hasEnded { decoded.rest = input.readableBytes + bytes.count - sent }
    return decoded
}

private func take(from decoder: inout BodyDecoder, _ input: inout ByteBuffer, into decoded: inout Decoded) {
    do throws(WireError) {
        while true {
            switch try decoder.next(&input) {
            case .needMore: return
            case .data(let piece): decoded.data += Array(piece.readableBytesView)
            case .end(let trailers):
                decoded.hasEnded = true
                decoded.trailers = trailers?.fields.map(\.id) ?? []
                return
            }
        }
    } catch {
        decoded.error = error
    }
}
