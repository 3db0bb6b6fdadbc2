using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>SQL of sign-ins: one row each, however often it is renewed.</summary>
internal static class SignInStore
{
    private const string Columns = """
        id, operator, password_digest, address, created, used, generation, access_hash, access_until, refresh_hash,
        refresh_until, revoked
        """;

    public static void Insert(ISqlSession session, SignInRow row) => session.Execute(
        """
        INSERT INTO security_sign_ins(
            id, operator, password_digest, address, created, used, generation, access_hash, access_until, refresh_hash,
            refresh_until)
        VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        row.Id, row.Operator, row.PasswordDigest, row.Address, row.Created, row.Used, row.Generation, row.AccessHash,
        row.AccessUntil, row.RefreshHash, row.RefreshUntil);

    public static void DeleteAll(ISqlSession session) => session.Execute("DELETE FROM security_sign_ins");

    public static SignInRow? Find(ISqlSession session, Guid id) =>
        session.One($"SELECT {Columns} FROM security_sign_ins WHERE id = $1", Read, id);

    public static SignInRow? FindByAccess(ISqlSession session, byte[] accessHash) =>
        session.One($"SELECT {Columns} FROM security_sign_ins WHERE access_hash = $1", Read, accessHash);

    /// <summary>Renews a sign-in that is still at the generation that was read.</summary>
    public static void Renew(ISqlSession session, SignInRow row) => session.Execute(
        """
        UPDATE security_sign_ins SET used = $1, generation = $2, access_hash = $3, access_until = $4, refresh_hash = $5,
            refresh_until = $6
        WHERE id = $7
        """,
        row.Used, row.Generation, row.AccessHash, row.AccessUntil, row.RefreshHash, row.RefreshUntil, row.Id);

    /// <summary>True when it was in force.</summary>
    public static bool Revoke(ISqlSession session, Guid id, DateTimeOffset at, string why) => session.Execute(
        "UPDATE security_sign_ins SET revoked = $1, revoked_why = $2 WHERE id = $3 AND revoked IS NULL", at, why,
        id) > 0;

    /// <summary>Those of an operator, or of all, newest first.</summary>
    public static List<SignInRow> ReadInForce(ISqlSession session, string? person, DateTimeOffset now, int limit) =>
        person is null
            ? session.List(
                $"""
                SELECT {Columns} FROM security_sign_ins WHERE revoked IS NULL AND refresh_until > $1
                ORDER BY created DESC, id DESC LIMIT $2
                """,
                Read, now, limit)
            : session.List(
                $"""
                SELECT {Columns} FROM security_sign_ins WHERE revoked IS NULL AND refresh_until > $1 AND operator = $2
                ORDER BY created DESC, id DESC LIMIT $3
                """,
                Read, now, person, limit);

    /// <summary>Forgets what has run out, revoked or not: its tokens are refused for their age.</summary>
    public static void DeleteEnded(ISqlSession session, DateTimeOffset now) =>
        session.Execute("DELETE FROM security_sign_ins WHERE refresh_until <= $1", now);

    /// <summary>Ends the oldest of an operator's beyond a number.</summary>
    public static void RevokeOldest(ISqlSession session, string person, int keep, DateTimeOffset now, string why) =>
        session.Execute(
            """
            UPDATE security_sign_ins SET revoked = $1, revoked_why = $2 WHERE id IN (
                SELECT id FROM security_sign_ins WHERE operator = $3 AND revoked IS NULL
                ORDER BY created DESC, id DESC LIMIT 1000 OFFSET $4)
            """,
            now, why, person, keep);

    private static SignInRow Read(ISqlRow row) => new(
        row.Guid(0), row.Text(1), row.Text(2), row.Text(3), row.Time(4), row.Time(5), row.Int64(6), row.Blob(7),
        row.Time(8),
        row.Blob(9), row.Time(10))
    {
        IsRevoked = !row.IsNull(11),
    };
}

/// <summary>A row of <c>security_sign_ins</c>.</summary>
/// <param name="PasswordDigest">Of the password it was made with: another password ends it.</param>
/// <param name="Generation">How often it was renewed.</param>
internal sealed record SignInRow(
    Guid Id,
    string Operator,
    string PasswordDigest,
    string Address,
    DateTimeOffset Created,
    DateTimeOffset Used,
    long Generation,
    byte[] AccessHash,
    DateTimeOffset AccessUntil,
    byte[] RefreshHash,
    DateTimeOffset RefreshUntil)
{
    public bool IsRevoked { get; init; }
}
