using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>The tables of this part of the kernel, and the SQL of the install and its working keys.</summary>
internal static class SecurityStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("security", 1,
            // The root key that the store belongs to: one row.
            """
            CREATE TABLE security_install(
                id BIGINT PRIMARY KEY, root_fingerprint TEXT NOT NULL, created BIGINT NOT NULL)
            """,
            """
            CREATE TABLE security_keys(
                id {key} PRIMARY KEY, wrapped {blob} NOT NULL, created BIGINT NOT NULL, state TEXT NOT NULL)
            """,
            """
            CREATE TABLE security_sign_ins(
                id {blob} PRIMARY KEY, operator {key} NOT NULL, password_digest TEXT NOT NULL, address TEXT NOT NULL,
                created BIGINT NOT NULL, used BIGINT NOT NULL, generation BIGINT NOT NULL,
                access_hash {blob} NOT NULL, access_until BIGINT NOT NULL,
                refresh_hash {blob} NOT NULL, refresh_until BIGINT NOT NULL,
                revoked BIGINT, revoked_why TEXT)
            """,
            "CREATE UNIQUE INDEX security_sign_ins_access ON security_sign_ins(access_hash)",
            "CREATE INDEX security_sign_ins_operator ON security_sign_ins(operator, created)",
            "CREATE INDEX security_sign_ins_until ON security_sign_ins(refresh_until)",
            """
            CREATE TABLE security_audit(
                seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, node TEXT NOT NULL, principal {key} NOT NULL,
                action {key} NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL, count BIGINT NOT NULL,
                address TEXT, detail TEXT, digest {blob} NOT NULL, link {blob} NOT NULL)
            """,
            "CREATE INDEX security_audit_principal ON security_audit(principal, seq)",
            "CREATE INDEX security_audit_action ON security_audit(action, seq)",
            """
            CREATE TABLE security_invitations(
                id {blob} PRIMARY KEY, created BIGINT NOT NULL, expires BIGINT NOT NULL, invited_by TEXT NOT NULL,
                used BIGINT, used_by TEXT)
            """),
        new("security", 2,
            """
            CREATE TABLE security_sign_in_links(
                hash {blob} PRIMARY KEY, operator {key} NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL)
            """),
    ];

    /// <summary>Ties the store to a root key unless it is tied; returns the fingerprint it is tied to.</summary>
    public static string ClaimInstall(ISqlSession session, string fingerprint, long now)
    {
        session.Execute(
            "INSERT INTO security_install(id, root_fingerprint, created) VALUES(1, $1, $2) ON CONFLICT(id) DO NOTHING",
            fingerprint, now);
        return session.One("SELECT root_fingerprint FROM security_install WHERE id = 1", row => row.Text(0))
            ?? throw new InvalidDataException("security_install has no row.");
    }

    /// <summary>In order of their creation.</summary>
    public static List<WorkingKeyRow> ReadKeys(ISqlSession session) => session.List(
        "SELECT id, wrapped, created, state FROM security_keys ORDER BY created, id",
        row => new WorkingKeyRow(row.Text(0), row.Blob(1), row.Int64(2), row.Text(3)));

    public static void InsertKey(ISqlSession session, WorkingKeyRow key) => session.Execute(
        "INSERT INTO security_keys(id, wrapped, created, state) VALUES($1, $2, $3, $4)",
        key.Id, key.Wrapped, key.Created, key.State);

    /// <summary>Lets the key take over; those before it only open from now on.</summary>
    public static void MakeCurrent(ISqlSession session, string id)
    {
        session.Execute(
            "UPDATE security_keys SET state = $1 WHERE state = $2", WorkingKeyState.Opens, WorkingKeyState.Current);
        session.Execute("UPDATE security_keys SET state = $1 WHERE id = $2", WorkingKeyState.Current, id);
    }
}

/// <summary>A row of <c>security_keys</c>.</summary>
/// <param name="Created">Unix milliseconds by the database's clock.</param>
internal sealed record WorkingKeyRow(string Id, byte[] Wrapped, long Created, string State);

internal static class WorkingKeyState
{
    /// <summary>Opens already and is written with when every node knows it.</summary>
    public const string Announced = "announced";

    /// <summary>The one that new secrets are written under.</summary>
    public const string Current = "current";

    /// <summary>Opens what was written under it.</summary>
    public const string Opens = "opens";
}
