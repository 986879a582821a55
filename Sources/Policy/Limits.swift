/// Every fixed bound of the gateway in one place, each with unit and reason. What the file may change says so.
package enum Limits {
    // MARK: messages

    /// Bytes of a request line's target: longer ones are 414. What nginx and HAProxy take by default.
    package static let target = 8 * 1024
    /// Bytes of a whole head (start line and fields), default of `limits.headers`: 431 beyond.
    package static let headers = 32 * 1024
    /// Fields of a head: 431 beyond. Field tables and duplicate checks stay small.
    package static let headerCount = 128
    /// Bytes of one chunk-size line with its extensions (which are dropped): they carry nothing, and floods use them.
    package static let chunkLine = 256
    /// Bytes of a trailer section.
    package static let trailers = 8 * 1024
    /// Default of `limits.body`, bytes.
    package static let body = 10 * 1024 * 1024

    /// Bytes a second that a client must send of a body that it owes, or take of an answer that waits for it, on average: default of
    /// `limits.body_rate`. What the slowest modem manages many times over; Kestrel's bound too.
    package static let bodyRate: Int64 = 240
    /// Milliseconds that a client may be behind that at the beginning, default of `timeouts.body_grace`: a new connection's slow start on a
    /// bad radio link.
    package static let bodyGraceMilliseconds: Int64 = 5000
    /// Milliseconds of that grace that are left, while others wait for a connection to the service, to whoever has more than a quarter of
    /// its connections: who holds it up goes first.
    package static let graceUnderPressureMilliseconds: Int64 = 1000
    /// Bytes of a body of declared length that are awaited before a service is troubled: nearly every call of an API is smaller, and its
    /// client can then hold no connection of a service's however slowly it sends.
    package static let gatheredBody = 16 * 1024

    /// Bytes of a PROXY header with its TLVs: what proxies say of a client's TLS fits several times.
    package static let proxyHeader = 4 * 1024

    // MARK: metrics

    /// Routes, and upstreams, that are no longer in the file and whose counters are told on: enough for one that is renamed back, and a
    /// file that is written anew by a program every minute doesn't grow the page for ever. Beyond, all of theirs are forgotten.
    package static let goneMetricLabels = 1000

    // MARK: probes

    /// Connections to the probes' listener: a few probes and scrapers. Beyond, the one that has been idle for longest makes room.
    package static let probeConnections = 64
    /// Seconds that a connection to the probes' listener may be silent: longer than scrapers pause.
    package static let probeIdleSeconds = 75
    /// Seconds for the head of a probe's request.
    package static let probeHeadSeconds = 10

    // MARK: the admin listener

    /// Connections to the admin listener: a few people, scripts and dashboards. Beyond, the one whose time ends first makes room.
    package static let adminConnections = 64
    /// Connections that follow the log, which never end by themselves.
    package static let adminFollowers = 16
    /// Bytes of a head at the admin listener: a browser's with a token in it.
    package static let adminHead = 16 * 1024
    /// Seconds for a head, and for each silence within a body.
    package static let adminHeadSeconds = 10
    /// Seconds that a connection may be silent between requests, and that a client may take for a piece of an answer.
    package static let adminIdleSeconds = 75
    /// Seconds for a whole body.
    package static let adminBodySeconds = 120
    /// Seconds until an answer that isn't there is given up: longer than the ledger's disk is waited for, and than keys are at a reload.
    package static let adminAnswerSeconds = 30
    /// Bytes of a body: one user, named.
    package static let adminBody = 64 * 1024
    /// Bytes and lines of one import: as many users as memory may know of before the ledger does.
    package static let adminImportBody = 32 * 1024 * 1024
    package static let adminImportLines = undurableUsers
    /// Bad lines of an import that are named; all are counted.
    package static let importProblems = 100
    /// Refused tokens of one source in a minute; beyond it they are answered by 429. A good token is always taken, so that nobody can lock
    /// the operators out.
    package static let adminFailuresPerMinute = 10
    /// Sources whose refused tokens are remembered.
    package static let adminSources = 1024
    /// Tokens in the file, and bytes of each: 32 that are random can't be guessed.
    package static let adminTokens = 64
    package static let adminTokenBytes = 32...1024
    /// Lines for standard error that may wait for its reader; the log of the ledger has what was changed in any case.
    package static let adminNews = 1024
    /// Entries of a listing's page.
    package static let adminPage = 1000
    /// Bytes of a page's `next`: three numbers and an id in hex.
    package static let adminCursor = 1024
    /// Rows, or tenants, that are looked at for one page, a few milliseconds' worth: the ledger's writes wait for it.
    package static let ledgerScan = 4096
    /// Pages that may wait for the ledger's thread.
    package static let ledgerReads = 64

    // MARK: the end

    /// Seconds that the process has beyond `timeouts.drain_delay` and `timeouts.drain`, for the ledger and the log; then it ends as it is.
    package static let endSeconds: Int64 = 10

    // MARK: upgrade in place

    /// Milliseconds for which a gateway that has handed its ledger on admits users after the other one was last heard: a suspension waits
    /// no longer than this for one that doesn't answer, so it is well below the second that callers are made to wait for.
    package static let leaseMilliseconds: Int64 = 500
    /// Milliseconds between two words of the other one.
    package static let leaseWordMilliseconds: Int64 = 100
    /// Milliseconds for each step of a takeover, but for loading the ledger.
    package static let takeoverStepMilliseconds: Int64 = 10_000
    /// Milliseconds that suspend calls in progress have before an upgrade is given up: as long as a service usually may take.
    package static let takeoverCallsMilliseconds: Int64 = 10_000
    /// Seconds for the new gateway's load of the ledger: ten million users take a few.
    package static let takeoverLoadSeconds: Int64 = 120
    /// Seconds that connections have to end after an upgrade: WebSockets and long answers.
    package static let upgradedSeconds: Int64 = 600
    /// Messages that may wait for the gateway before; each has at most 64 users. Beyond it that one is left to its lease.
    package static let takeoverBacklog = 8192

    // MARK: routes

    /// Segments of a route's or dialect call's pattern: far more than any API has, and the bound of the matcher's recursion.
    package static let patternSegments = 64
    /// Bytes of a host name in `Host` (RFC 1035 §2.3.4) and of one label of it.
    package static let hostName = 253
    package static let hostLabel = 63

    // MARK: identity

    /// Bytes of a user or tenant id of format `string`: room for any e-mail address or URN.
    package static let idBytes = 256
    /// Bytes of a compact JWS, default of `limits.token`.
    package static let token = 8 * 1024
    /// The most that `limits.token` may be.
    package static let tokenMaximum = 64 * 1024
    /// Depth of JSON in tokens.
    package static let tokenDepth = 16
    /// Keys tried for a token without `kid`, so that HMAC secrets can rotate.
    package static let keysTried = 4
    /// Seconds of clock difference allowed for exp, nbf and iat.
    package static let leeway = 30
    /// Verified tokens remembered per event loop.
    package static let rememberedTokens = 16 * 1024
    /// Bytes of remembered tokens per event loop.
    package static let rememberedTokenBytes = 32 * 1024 * 1024
    /// Tenants in one token's array claim.
    package static let tenantsPerToken = 256
    /// Audiences in one token.
    package static let audiencesPerToken = 256
    /// Roles or scopes in one claim.
    package static let rolesPerToken = 1024
    /// The latest date in a token, seconds: the end of the year 9999. Beyond it are milliseconds and mistakes.
    package static let latestDate: Int64 = 253_402_300_799
    /// Seconds of leeway that the file may ask for.
    package static let leewayMaximum: Int64 = 300
    /// Keys in one set: far more than any issuer rotates through.
    package static let keysInSet = 256
    /// Bits of an RSA key: less can be broken, more makes every check of a signature a burden.
    package static let rsaBits = 2048...8192
    /// Bytes of a key's `kid`: issuers use a digest's. Each is compared with what tokens name, and kept for as long as the key.
    package static let kidBytes = 256
    /// Bad keys of a set that a message names; the others are counted.
    package static let keyProblemsShown = 8

    // MARK: rate limits

    /// Buckets of rate limits that are kept, a power of two: callers who are being limited at one time. 16 bytes each.
    package static let ratePlaces = 256 * 1024
    /// Seconds that an emptied bucket may take to fill: limits are for floods, not for contracts, and a restart fills every bucket.
    package static let rateRecoverySeconds: Int64 = 86_400

    // MARK: keys by URL

    /// Bytes of a URL that is fetched.
    package static let fetchURL = 2048
    /// Bytes of a fetched document: a set of `keysInSet` large keys fits (SPEC §2).
    package static let fetchedDocument = 1024 * 1024
    /// Bytes of a fetched answer's head.
    package static let fetchedHead = 16 * 1024
    /// Fetches that are under way at a time; others wait. Thousands of issuers must not use up the descriptors.
    package static let fetchesAtOnce = 64
    /// Fetches that are under way at one host: one that accepts and doesn't answer must not hold up the others.
    package static let fetchesPerHost = 16
    /// Fetches that are under way for origins whose last fetch failed: the rest is for those that are well.
    package static let retriesAtOnce = 48
    /// Milliseconds between two fetches for a key that nobody knows: what a flood of such tokens can cost an issuer.
    package static let unknownKeyMilliseconds: Int64 = 10_000
    /// Milliseconds that the issuer's `Cache-Control` can shorten the time between two fetches to.
    package static let freshMilliseconds: Int64 = 10_000
    /// Milliseconds until a failed fetch is tried again; doubled with each failure, up to the time between two fetches.
    package static let retryMilliseconds: Int64 = 1000
    /// Milliseconds after which people are told again that an issuer's keys can't be fetched, and why.
    package static let failureToldMilliseconds: Int64 = 3_600_000
    /// Milliseconds that the start waits for the first fetches.
    package static let keysAtStartMilliseconds: Int64 = 10_000

    // MARK: upstreams

    /// Percent of a service's connections that one caller may have, default of an upstream's `caller_share`: a quarter is left to others even
    /// by somebody who asks for as much as there is, and a service that has one caller alone misses little.
    package static let callerShare = 75
    /// Seconds between two look-ups of a server's name that is used: how long connections may go to an address that is gone.
    package static let nameSeconds: Int64 = 30
    /// Seconds after which a name that no connection has asked for is looked up no more.
    package static let unusedNameSeconds: Int64 = 600

    // MARK: suspension

    /// Bytes of a suspend call's body: a few flags and a reason.
    package static let intentBody = 64 * 1024
    /// Bytes of an answer that is learned from: JITSudo's user with its 256 KB avatar fits several times.
    package static let learnedAnswer = 1024 * 1024
    /// Suspend calls that one caller may have open.
    package static let openIntents = 4
    /// Suspend calls that one caller may make in a minute.
    package static let intentsPerMinute = 300
    /// Seconds that a suspend call waits for other calls for the same user.
    package static let intentQueueSeconds = 5
    /// Seconds in which a passive answer teaches nothing after a confirmed or unconfirmed call for the user.
    package static let quietSeconds = 60
    /// Suspend calls of all callers that may be open or waiting: each holds a request and its answer in memory.
    package static let openIntentsInAll = 4096
    /// Calls that may wait for one user; each is of another caller.
    package static let intentsWaitingPerUser = 64
    /// Callers whose calls of the last minute are remembered.
    package static let rememberedCallers = 65_536
    /// Seconds that a call waits for the ledger's disk before it goes on as if the write had failed.
    package static let ledgerPatienceSeconds = 5
    /// Milliseconds between two tries to write what a failing ledger has missed.
    package static let ledgerRetryMilliseconds: Int64 = 500
    /// Users of whom memory knows more than a failing ledger; beyond it nobody is suspended any more until it can be written.
    package static let undurableUsers = 100_000
    /// Writes that may wait for the ledger's disk: beyond it calls are busy and other answers teach nothing.
    package static let ledgerBacklog = 8192
    /// Changes that one ledger transaction takes: an fsync is shared, and a crash loses no more than is waiting.
    package static let ledgerGroup = 1024
    /// Users that passive answers teach nothing about for `quietSeconds`; beyond it such answers teach nothing at all.
    package static let quietUsers = 100_000
    /// Bytes of a caller's name, a request id and a reason that the ledger keeps.
    package static let ledgerText = 1024
    /// Entries of the fleet's log that are read, and written, at once: one transaction of the ledger takes them, and one statement.
    package static let fleetBatch = 500
    /// Characters of an entry's directory and ids, and bytes: longer ones name nobody (`idBytes`), and are not read.
    package static let fleetIDBytes = 1024
    /// Milliseconds for a connection to the fleet's database, and for each of its answers: one that hangs is given up like one that is gone.
    package static let fleetPatienceMilliseconds: Int32 = 5000
    /// Milliseconds between two looks at the fleet's log where notifications come, and where they don't.
    package static let fleetPollMilliseconds: Int64 = 1000
    package static let fleetBlindPollMilliseconds: Int64 = 100
    /// Milliseconds between two tries to connect.
    package static let fleetRetryMilliseconds: Int64 = 500
    /// Milliseconds that a start waits for what others have published.
    package static let fleetAtStartMilliseconds = 5000
    /// Milliseconds at the end for telling the others what they have not been told, and for saying goodbye.
    package static let fleetLeavingMilliseconds = 2000
    /// Milliseconds that a suspension's 2xx waits for all gateways.
    package static let fleetAcknowledgeMilliseconds: Int64 = 1000
    /// Suspensions that may wait for all gateways; beyond it nobody is waited for.
    package static let fleetWaiters = 4096
    /// Milliseconds for which a gateway trusts its lease, from before it asked for it; and for which its peers count on it, from then on
    /// when it was given. The difference is for clocks that run unevenly, and for an answer that is still on its way.
    package static let fleetLeaseMilliseconds: Int64 = 5000
    package static let fleetCountedMilliseconds: Int64 = 8000
    /// Users with overlapping calls that memory keeps to have them read, beside those whose calls were lost. More of them stay suspended
    /// and in the ledger's list of unconfirmed calls, and are taken up when half of these are settled.
    package static let fleetContestedUsers = 100_000
    /// Users whom others have suspended and whom memory alone keeps blocked while the ledger takes nothing; with more nobody at all is lifted
    /// until it does.
    package static let fleetHeldUsers = 100_000
    /// Starts that a ledger remembers by name, beside those whose words still count.
    package static let fleetRuns = 1000
    /// Days for which the fleet's log keeps entries that later ones have replaced, so that nobody who was away for less finds a gap; and
    /// seconds between two looks for them, and milliseconds that one may take.
    package static let fleetKeptDays = 30
    package static let fleetCutSeconds: Int64 = 86_400
    package static let fleetCutPatienceMilliseconds: Int32 = 300_000
    /// Gateways of a fleet that are told of, and entries that are counted to say how far one is behind.
    package static let fleetMembers = 100
    package static let fleetBehindCounted = 10_000

    /// Log entries whose chain is checked at every start; `suspensions verify` checks all.
    package static let chainCheckedAtStart = 1000
    /// Bytes of a ledger that is checked whole at every start (about a second); in a larger one the log's pages are left to `verify`.
    package static let wholeQuickCheck = 256 * 1024 * 1024
    /// Entries of `credentials_dir`: an issuer for each of many tenants, a few KiB of memory each.
    package static let credentialBlocks = 65_536
    /// Sets of seven marks of who was reactivated when, two for each user: 4 MB for about 100,000 users. Beyond it some users need a new
    /// token who would not have needed one.
    package static let reactivationSets = 31_744

    // MARK: reading users with a service credential

    /// Seconds for which a call whose answer was lost may still be carried out, default of a directory's `late_commits`: twice what services
    /// give a request of their own. Until then the user is read again and again, and no answer is taken for the last word.
    package static let lateCommitSeconds: Int64 = 60
    /// Reads of one directory's users that are under way at a time.
    package static let readsAtOnce = 8
    /// Users that are to be read; beyond it those with unconfirmed calls get their turn when others are done, and other answers start none.
    package static let usersToRead = 100_000
    /// Seconds between two reads of a user: doubled each time, from the first to the last.
    package static let readAgainSeconds: ClosedRange<Int64> = 1...300
    /// Seconds for which a service that can't be read from is left alone: doubled with each failure. Then one read tries it.
    package static let sickServiceSeconds: ClosedRange<Int64> = 1...60
    /// Users of whom it is remembered, while users are being read, that something has happened meanwhile: 16 to 300 bytes each. Beyond it
    /// whatever is being read is read again.
    package static let touchedUsers = 100_000
    /// Bytes of a service token: as much as a bearer token may have.
    package static let serviceToken = 64 * 1024
    /// Milliseconds that one read of a user or of a list's page may take.
    package static let serviceReadMilliseconds: Int64 = 30_000
    /// Bytes of an answer to a read: one page of a list, or a user.
    package static let serviceAnswer = learnedAnswer
    /// Users of a directory that one reconcile run takes: 9 bytes each, to notice who comes twice.
    package static let reconciledUsers = 2_000_000
    /// Pages of a list that one run asks for: lists of one user a page are read to their end, those without an end aren't.
    package static let reconcilePages = 200_000
    /// A run that would change more users than this, and more than one in `reconcileShare`, stops and asks.
    package static let reconcileChanges = 100
    package static let reconcileShare = 100
    /// Changes of a run that are given to the ledger together.
    package static let reconcileBatch = 256

    // MARK: aliases

    /// Aliases that are kept, in memory and in the ledger: 150 to 400 bytes of memory each. Beyond it the one that was learned first goes, and
    /// is looked up again when its user comes.
    package static let aliases = 1_000_000
    /// Aliases that one loop remembers the users of: 100 bytes each. Beyond it they are asked for anew, which costs a hop to another thread.
    package static let rememberedAliases = 16_384
    /// Seconds after which a loop asks again, so that it is noticed when an alias has not been read for long.
    package static let rememberedAliasSeconds: Int64 = 30
    /// Aliases that have moved to other users, by which one that goes back and forth is noticed.
    package static let formerAliases = 10_000
    /// Readings of aliases that may wait for their thread: many pages of lists. Beyond it they teach nothing.
    package static let aliasReadings = 100_000
    /// Seconds after which an alias is read anew at the service when its user comes by it, where there is a service token.
    package static let aliasFreshSeconds: Int64 = 900
    /// Seconds between two reads of the users that have one alias at once.
    package static let contestedAliasSeconds: Int64 = 10
    /// Searches and reads of aliases that are under way at a time, and that may begin in a second, of one tenant's users (of one directory's,
    /// where suspensions reach all tenants) and in all: a service serves its users first, and one tenant's leave room for others'.
    package static let aliasSearchesAtOnce = 16
    package static let aliasSearchesAtOnceInAll = 64
    package static let aliasSearchesPerSecond = 100
    package static let aliasSearchesPerSecondInAll = 400
    /// Seconds for which a gateway of a fleet believes what a user was last seen with: others see changes that it doesn't. Half of it later he
    /// is read anew in the background, so that who comes often doesn't wait.
    package static let fleetAliasSeconds: Int64 = 60
    /// Reads of users that a gateway of a fleet has under way for that, and that may begin in a second, of one tenant's and in all: 60,000
    /// users who come all the time.
    package static let aliasReadsAtOnce = 64
    package static let aliasReadsAtOnceInAll = 128
    package static let aliasReadsPerSecond = 1000
    package static let aliasReadsPerSecondInAll = 2000
    /// Tenants for which the shares of a second are kept.
    package static let aliasGroups = 4096
    /// Requests that may wait for searches, of all loops: beyond it, and beyond half of what others leave for one tenant's, 503 `overloaded`.
    package static let aliasWaiters = 4096
    /// Of them for one alias, so that one user's leave room for others'.
    package static let aliasWaitersOfOne = 256
    /// Milliseconds that a request waits for a search, and that the search may take.
    package static let aliasWaitMilliseconds: Int64 = 6000
    package static let aliasSearchMilliseconds: Int64 = 5000
    /// Milliseconds for which an alias that the service knows nobody by is not asked for again, and how many such are remembered.
    package static let unknownAliasMilliseconds: Int64 = 10_000
    package static let unknownAliases = 65_536
    /// Entries of a dialect's `aliases`.
    package static let aliasRules = 16
    /// Bytes of one line of an import.
    package static let importLine = 16 * 1024
    /// Bytes of pages that SQLite may keep in memory during an import: most of a table of ten million users.
    package static let importCache = 512 * 1024 * 1024
}
