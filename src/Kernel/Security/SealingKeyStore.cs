using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>The SQL of the sealing keys.</summary>
internal static class SealingKeyStore
{
    public static Migration Migration { get; } = new("sealing", 1,
        """
        CREATE TABLE sealing_keys(
            id {key} PRIMARY KEY, public {blob} NOT NULL, wrapped {blob} NOT NULL, created BIGINT NOT NULL,
            state TEXT NOT NULL)
        """);

    /// <summary>In order of their creation.</summary>
    public static List<SealingKeyRow> Read(ISqlSession session) => session.List(
        "SELECT id, public, wrapped, created, state FROM sealing_keys ORDER BY created, id",
        row => new SealingKeyRow(row.Text(0), row.Blob(1), row.Blob(2), row.Int64(3), row.Text(4)));

    public static void Insert(ISqlSession session, SealingKeyRow key) => session.Execute(
        "INSERT INTO sealing_keys(id, public, wrapped, created, state) VALUES($1, $2, $3, $4, $5)",
        key.Id, key.Public, key.Wrapped, key.Created, key.State);

    /// <summary>Lets the key take over; those before it only open from now on.</summary>
    public static void MakeCurrent(ISqlSession session, string id)
    {
        session.Execute(
            "UPDATE sealing_keys SET state = $1 WHERE state = $2",
            WorkingKeyState.Opens, WorkingKeyState.Current);
        session.Execute("UPDATE sealing_keys SET state = $1 WHERE id = $2", WorkingKeyState.Current, id);
    }
}

/// <summary>A row of <c>sealing_keys</c>.</summary>
/// <param name="Public">SubjectPublicKeyInfo.</param>
/// <param name="Wrapped">PKCS #8, encrypted.</param>
/// <param name="Created">Unix milliseconds by the database's clock.</param>
internal sealed record SealingKeyRow(string Id, byte[] Public, byte[] Wrapped, long Created, string State);
