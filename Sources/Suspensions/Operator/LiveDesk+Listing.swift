import Policy

/// What the ledger holds, in pages.
extension LiveDesk {
    /// Answered on the ledger's thread; by `.failure` too where too many wait for it.
    package typealias Answer<Value> = @Sendable (Result<Value, LedgerError>) -> Void

    package func blocks(_ query: BlockQuery, then answer: @escaping Answer<BlockPage>) {
        read(answer) { ledger throws(LedgerError) in try ledger.blocks(query) }
    }

    package func unconfirmed(limit: Int, then answer: @escaping Answer<[StandingCall]>) {
        read(answer) { ledger throws(LedgerError) in try ledger.unconfirmedCalls(limit: limit) }
    }

    package func log(_ range: LogRange, limit: Int, then answer: @escaping Answer<(entries: [LogEntry], last: Int64)>) {
        read(answer) { ledger throws(LedgerError) in try ledger.log(range, limit: limit) }
    }

    /// A query by names, its ids read in the directory's formats.
    package func query(
        directory: String?, tenant: [UInt8]?, user: [UInt8]?, source: BlockSource?, after: BlockPosition?, limit: Int
    ) throws(OperatorError) -> BlockQuery {
        var query = BlockQuery(limit: limit)
        (query.user, query.source, query.after) = (user, source, after)
        guard let directory else {
            // Without a directory nobody knows the format: a tenant is then looked for in every one that can have it.
            query.tenants = tenant.map { tenant in IDFormat.allCases.compactMap { FormattedID(tenant.span, format: $0) } }
            return query
        }
        guard let index = ledger.directories.firstIndex(where: { $0.name == directory }) else {
            throw .unknownDirectory(directory, known: directories)
        }
        query.directory = index
        if let tenant {
            let format = ledger.directories[index].tenantFormat
            guard let id = TenantID(tenant.span, format: format) else {
                throw .notATenant(NamedUser(directory: directory, tenant: tenant, user: user ?? []), format)
            }
            query.tenants = [id.id]
        }
        if let user, UserID(user.span, format: ledger.directories[index].idFormat) == nil {
            throw .notAUser(NamedUser(directory: directory, tenant: tenant, user: user), ledger.directories[index].idFormat)
        }
        return query
    }

    private func read<Value>(
        _ answer: @escaping Answer<Value>, _ body: @escaping @Sendable (SQLiteLedger) throws(LedgerError) -> Value
    ) {
        let ledger = ledger
        let isTaken = authority.reading {
            do throws(LedgerError) { answer(.success(try body(ledger))) } catch { answer(.failure(error)) }
        }
        if !isTaken { answer(.failure(.readFailed("too many wait for it"))) }
    }
}
