using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Nacos;

/// <summary>Callers without a credential on loopback, as <c>up</c> lets them in.</summary>
internal static class Anonymous
{
    public static async Task AllowAsync(RunningNode node)
    {
        var changes = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var role = new RoleSpec(
        [
            new Grant(["register", "renew", "discover"], ["instance"], ["*"]),
            new Grant(["read"], ["setting"], ["*"]),
        ]);
        var commit = await changes.CommitAsync(
            new Changeset(
                Principal.System("test"), [Change.Put(SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback, role)]),
            CancellationToken.None);
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }
}
