using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>SQL of the invitations of nodes.</summary>
internal static class InvitationStore
{
    /// <summary>Records one, and forgets those that ran out before.</summary>
    public static void Insert(ISqlSession session, Guid id, long now, long expires, string invitedBy)
    {
        session.Execute("DELETE FROM security_invitations WHERE expires <= $1", now);
        session.Execute(
            "INSERT INTO security_invitations(id, created, expires, invited_by) VALUES($1, $2, $3, $4)",
            id, now, expires, invitedBy);
    }

    public static void DeleteAll(ISqlSession session) => session.Execute("DELETE FROM security_invitations");

    /// <summary>True for the first who comes in time.</summary>
    public static bool Redeem(ISqlSession session, Guid id, string node, long now) => session.Execute(
        "UPDATE security_invitations SET used = $1, used_by = $2 WHERE id = $3 AND used IS NULL AND expires > $4",
        now, node, id, now) == 1;
}
