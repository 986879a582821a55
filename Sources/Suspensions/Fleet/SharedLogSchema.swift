/// The tables of the shared log in PostgreSQL, made and brought up to date by the first gateway that comes.
enum SharedLogSchema {
    static let version = 1
    /// Any number, the same in all gateways: whoever makes or changes the tables holds this advisory lock.
    static let lock = 0x746E_4667
    /// Whoever cuts the log holds this one.
    static let cutting = 0x746E_4668

    /// What a database is known by: one that was restarted, made anew or restored has another one. A table's own number changes when a
    /// dump is read in.
    static let incarnation = """
        (SELECT extract(epoch FROM pg_postmaster_start_time())::text || '/' || 'tenantgate.fleet'::regclass::oid::text)
        """

    /// `number` is the counter that all entries take theirs from, in the transaction that writes them: so the order of commits is the order
    /// of numbers. `oldest` is the oldest version of the program that may use these tables.
    static let tables = """
        CREATE SCHEMA IF NOT EXISTS tenantgate;
        CREATE TABLE tenantgate.fleet (
            one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL, oldest integer NOT NULL, log uuid NOT NULL,
            epoch bigint NOT NULL, incarnation text NOT NULL, number bigint NOT NULL);
        CREATE TABLE tenantgate.epochs (
            epoch bigint PRIMARY KEY, after bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE TABLE tenantgate.directories (
            name text PRIMARY KEY, id_format text NOT NULL, tenant_format text NOT NULL, reach text NOT NULL);
        CREATE TABLE tenantgate.entries (
            number bigint PRIMARY KEY, writer uuid NOT NULL, local bigint NOT NULL, base bigint NOT NULL, directory text NOT NULL,
            tenant text, userid text NOT NULL, source smallint NOT NULL, state smallint NOT NULL, learned smallint NOT NULL,
            actor text NOT NULL, request text NOT NULL, reason text NOT NULL, at bigint NOT NULL, since bigint, UNIQUE (writer, local));
        CREATE TABLE tenantgate.gateways (
            writer uuid PRIMARY KEY, name text NOT NULL, applied bigint NOT NULL, until timestamptz NOT NULL, refuses boolean NOT NULL);
        INSERT INTO tenantgate.fleet VALUES (1, \(version), \(version), gen_random_uuid(), 0, '', 0);
        """
}
