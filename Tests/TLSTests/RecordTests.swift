import COpenSSL
import TLS
import Testing

@Suite("records") struct RecordTests {
    @Test("a session may arrive in pieces of any size", arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [1, 2, 5, 7, 64, 1000])
    func pieces(version: Int32, piece: Int) throws {
        let pair = try Pair(.test(), .init(versions: version...version))
        pair.piece = piece
        pair.client.shakeHands()
        pair.pump()
        let message = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(pair.serverHears(message) == message)
        #expect(pair.clientHears(message) == message)
        pair.client.sendCloseNotify()
        pair.pump()
        #expect(pair.log.inputClosed == 1)
        #expect(pair.log.errors.isEmpty)
    }

    @Test("a flight may be split at every byte", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func everySplit(version: Int32) throws {
        let context = try TLSContext.test()
        let length = try flight(context, version).bytes.count
        for split in 1..<length {
            let (pair, bytes) = try flight(context, version)
            pair.deliver(Array(bytes[..<min(split, bytes.count)]))
            pair.deliver(Array(bytes[min(split, bytes.count)...]))
            #expect(pair.log.data == Array("onetwo".utf8), "split at \(split)")
            #expect(pair.log.inputClosed == 1)
        }
    }

    /// All that a client sends after the server's first flight: the end of the handshake, two records and close_notify.
    private func flight(_ context: TLSContext, _ version: Int32) throws -> (pair: Pair, bytes: [UInt8]) {
        let pair = try Pair(context, .init(versions: version...version))
        pair.client.shakeHands()
        pair.deliver(pair.client.takeOutput())
        pair.client.receive(pair.takeServerOutput())
        if version == TLS1_2_VERSION {
            pair.deliver(pair.client.takeOutput())
            pair.client.receive(pair.takeServerOutput())
        }
        pair.client.send(Array("one".utf8))
        pair.client.send(Array("two".utf8))
        pair.client.sendCloseNotify()
        return (pair, pair.client.takeOutput())
    }

    @Test("many records that arrive together are passed on as one buffer")
    func oneRead() throws {
        let pair = try Pair.connected(.test())
        for byte in 0..<100 { pair.client.send([UInt8](repeating: UInt8(byte), count: 500)) }
        pair.pump()
        #expect(pair.log.data.count == 50_000)
        #expect(pair.log.reads == 1)
    }

    @Test("a large record of which the beginning came before is passed on whole")
    func largeRecordInTwo() throws {
        let pair = try Pair.connected(.test())
        let message = [UInt8](repeating: 7, count: 16 * 1024)
        pair.client.send(message)
        let bytes = pair.client.takeOutput()
        pair.deliver(Array(bytes[..<16_000]))
        pair.deliver(Array(bytes[16_000...]))
        #expect(pair.log.data == message)
        #expect(pair.log.reads == 1)
    }

    @Test("all writes up to a flush make one write of one record")
    func coalescing() throws {
        let pair = try Pair.connected(.test())
        let before = pair.serverWrites.count
        for part in ["HTTP/1.1 200 OK\r\n", "\r\n", "body"] { pair.write(Array(part.utf8)) }
        #expect(pair.takeServerOutput().isEmpty)
        pair.flush()
        pair.pump()
        #expect(pair.received == Array("HTTP/1.1 200 OK\r\n\r\nbody".utf8))
        #expect(pair.serverWrites.count == before + 1)
        #expect(records(pair.serverWrites.last ?? []).count == 1)
    }

    @Test("records are small at first, then of 16 KiB, and one flush is one write")
    func recordSizes() throws {
        let pair = try Pair.connected(.test())
        let before = pair.serverWrites.count
        let message = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        #expect(pair.clientHears(message) == message)
        #expect(pair.serverWrites.count == before + 1)
        let sizes = records(pair.serverWrites.last ?? [])
        #expect(sizes.prefix(16).allSatisfy { $0 < 4 * 1024 + 30 })
        #expect(sizes.dropFirst(16).dropLast().allSatisfy { $0 >= 16 * 1024 })
    }

    /// The lengths of the records in it.
    private func records(_ bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var position = 0
        while position + 5 <= bytes.count {
            lengths.append(Int(bytes[position + 3]) << 8 | Int(bytes[position + 4]))
            position += 5 + lengths[lengths.count - 1]
        }
        return lengths
    }

    @Test("a forged record ends the connection with an alert", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func forged(version: Int32) throws {
        let pair = try Pair.connected(.test(), .init(versions: version...version))
        pair.client.send([1, 2, 3])
        var bytes = pair.client.takeOutput()
        bytes[bytes.count - 1] ^= 1
        pair.deliver(bytes)
        #expect(pair.log.errors == [.protocolViolation("decryption failed or bad record mac")])
        #expect(pair.log.data.isEmpty)
        pair.client.receive(pair.takeServerOutput())
        #expect(pair.client.failure?.contains("bad record mac") == true)
        #expect(!pair.isActive)
    }
}

@Suite("floods") struct FloodTests {
    @Test("new keys may be asked for in between")
    func keyUpdates() throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_3_VERSION...TLS1_3_VERSION))
        for round in 0..<100 {
            pair.client.updateKeys()
            #expect(pair.serverHears([UInt8(round)]) == [UInt8(round)])
            #expect(pair.clientHears([UInt8(round)]) == [UInt8(round)])
        }
        #expect(pair.log.errors.isEmpty)
    }

    @Test("record after record without data ends the connection", arguments: [Int.max, 5, 1])
    func uselessRecords(piece: Int) throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_3_VERSION...TLS1_3_VERSION))
        pair.piece = piece
        for _ in 0..<40 {
            pair.client.updateKeys()
            pair.client.shakeHands()
            pair.deliver(pair.client.takeOutput())
        }
        #expect(pair.log.errors == [.uselessRecords])
        #expect(!pair.isActive)
    }

    @Test("a peer that asks for answers and takes none is ended even if it sends data in between")
    func untakenAnswers() throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_3_VERSION...TLS1_3_VERSION))
        pair.isWritable = false
        for _ in 0..<40 {
            pair.client.updateKeys()
            pair.client.send([1])
            pair.deliver(pair.client.takeOutput())
        }
        #expect(pair.log.errors == [.uselessRecords])
    }

    @Test("renegotiation is refused, and ends the connection")
    func renegotiation() throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION))
        pair.client.renegotiate()
        pair.pump()
        #expect(pair.log.errors == [.renegotiation])
        #expect(!pair.isActive)
    }
}

@Suite("ending") struct EndingTests {
    @Test("the peer's close_notify is the end of input, and we can still write", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func peerCloses(version: Int32) throws {
        let pair = try Pair.connected(.test(), .init(versions: version...version))
        pair.client.sendCloseNotify()
        pair.pump()
        #expect(pair.log.inputClosed == 1)
        pair.endStream()
        #expect(pair.log.inputClosed == 1)
        #expect(pair.isActive)
        #expect(pair.clientHears([1, 2, 3]) == [1, 2, 3])
        pair.close()
        pair.pump()
        #expect(pair.client.isClosed)
        #expect(pair.log.errors.isEmpty)
    }

    @Test("data after the peer's close_notify is ignored")
    func afterCloseNotify() throws {
        let pair = try Pair.connected(.test())
        pair.client.sendCloseNotify()
        pair.deliver(pair.client.takeOutput() + [23, 3, 3, 0, 1, 0])
        pair.deliver([23, 3, 3, 0, 1, 0])
        #expect(pair.log.errors.isEmpty)
        #expect(pair.log.inputClosed == 1)
    }

    @Test("the end of TCP without close_notify is a truncation")
    func truncated() throws {
        let pair = try Pair.connected(.test())
        pair.endStream()
        #expect(pair.log.errors == [.truncated])
        #expect(pair.log.inputClosed == 0)
    }

    @Test("closing sends what was written, close_notify, and then closes")
    func close() throws {
        let pair = try Pair.connected(.test())
        pair.write(Array("the end".utf8))
        pair.close()
        pair.pump()
        #expect(pair.received == Array("the end".utf8))
        #expect(pair.client.isClosed)
        #expect(pair.log.errors.isEmpty)
        pair.write([1])
        pair.flush()
        #expect(pair.takeServerOutput().isEmpty)
    }

    @Test("after the output is closed, reading goes on")
    func closeOutput() throws {
        let pair = try Pair.connected(.test())
        pair.close(all: false)
        pair.pump()
        #expect(pair.client.isClosed)
        #expect(pair.serverHears([1, 2, 3]) == [1, 2, 3])
        pair.write([1])
        pair.flush()
        #expect(pair.takeServerOutput().isEmpty)
    }

    @Test("a connection that is cut off sends nothing more, so that the client can tell")
    func cut() throws {
        let pair = try Pair.connected(.test())
        _ = pair.takeServerOutput()
        pair.write(Array("half an ans".utf8))
        pair.server.cut()
        pair.flush()
        pair.close()
        #expect(pair.takeServerOutput().isEmpty)
        #expect(pair.log.errors.isEmpty)
    }
}
