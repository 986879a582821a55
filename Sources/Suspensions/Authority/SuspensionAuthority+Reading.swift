import Policy

/// Reading users at their service, to settle what is unknown and to find what has drifted.
extension SuspensionAuthority {
    /// Has users read from `source` whose calls are unconfirmed, from now on. `late`: seconds for which each directory's lost calls may be
    /// carried out late. To be called again when credentials have changed, so that whoever waits for one is read.
    package func readUsers(from source: any UserSource, late: [Int64]) {
        surroundings.run { [self] in
            state.withLock { $0.source = source }
            handle(.readable(late: late))
        }
    }

    /// The present in the order of what happens: what is asked for after this was called knows all that happened before.
    var mark: Touches.Mark { state.withLock { $0.machine.touches.mark } }

    /// A reconcile run begins to look at users, or ends: in between it is remembered to whom something happens.
    func look(_ begins: Bool) { state.withLock { $0.machine.touches.runs += begins ? 1 : -1 } }

    /// Puts findings in force, in memory and durably.
    func apply(_ findings: [Finding], then answer: @escaping @Sendable (FindingBatch) -> Void) {
        surroundings.run { [self] in
            let number = state.withLock { state in
                state.lastBatch += 1
                state.batches[state.lastBatch] = answer
                return state.lastBatch
            }
            handle(.found(number, findings))
        }
    }

    /// Whether a directory has never been filled from its service's list, and nobody was blocked in it when that was first tried.
    func isUnfilled(_ directory: DirectoryIndex) -> Bool {
        state.withLock { $0.fillings[directory] }.map { !$0 } ?? (directory >= usersAtStart.count || usersAtStart[directory] == 0)
    }

    /// Whether the filling of a directory is done; nil where it was never begun.
    func fillings(_ directory: DirectoryIndex) -> Bool? { state.withLock { $0.fillings[directory] } }

    /// Notes durably that the filling of a directory has begun, or is done. True if the ledger could be written.
    func noteFilling(_ directory: DirectoryIndex, isDone: Bool, then answer: @escaping @Sendable (Bool) -> Void) {
        writer.submit([.filling(directory, isDone: isDone)]) { [self] error in
            if error == nil { state.withLock { $0.fillings[directory] = isDone } }
            answer(error == nil)
        }
    }

    /// Everybody in a directory whom the service's word blocks, where the ledger has at most so many blocks; nil where it has more, or can't
    /// be read.
    func blocked(in directory: DirectoryIndex, limit: Int, then answer: @escaping @Sendable ([Subject]?) -> Void) {
        writer.read { store in
            // All rows are gone through: a ledger of millions would be kept from writing for too long.
            guard let count = try? store.blockCount(), count <= limit else { return answer(nil) }
            var subjects: [Subject] = []
            let isRead: Void? = try? store.forEachBlock { subject, source in
                if subject.directory == directory, source == .upstream { subjects.append(subject) }
            }
            answer(isRead == nil ? nil : subjects)
        }
    }
}
