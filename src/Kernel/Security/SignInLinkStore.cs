using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>SQL of the links that sign in.</summary>
internal static class SignInLinkStore
{
    /// <summary>Records one, and forgets those that ran out before.</summary>
    public static void Insert(ISqlSession session, byte[] hash, string person, long now, long expires)
    {
        session.Execute("DELETE FROM security_sign_in_links WHERE expires <= $1", now);
        session.Execute(
            "INSERT INTO security_sign_in_links(hash, operator, created, expires) VALUES($1, $2, $3, $4)",
            hash, person, now, expires);
    }

    public static void DeleteAll(ISqlSession session) => session.Execute("DELETE FROM security_sign_in_links");

    /// <summary>The operator, for the first who comes in time.</summary>
    public static string? Redeem(ISqlSession session, byte[] hash, long now)
    {
        var person = session.One(
            "SELECT operator FROM security_sign_in_links WHERE hash = $1 AND expires > $2", row => row.Text(0), hash,
            now);
        session.Execute("DELETE FROM security_sign_in_links WHERE hash = $1", hash);
        return person;
    }
}
