using System.Text;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>The accounts in force. One that is not understood may ask nothing; the others go on.</summary>
internal sealed class AccountTable(
    ISnapshotSource snapshots, OpenSpec open, TimeProvider time, ILogger<AccountTable> logger) : IDisposable
{
    private readonly SecretTable<Account> table = new(
        snapshots, new SecretKind<Account>(HttpDnsAccountKind.Name, Account.Compile), open, time, logger);

    public void Dispose() => table.Dispose();

    public Account? Find(string id) =>
        table.Current.GetValueOrDefault(new ResourceKey(HttpDnsAccountKind.Name, "", id));

    /// <summary>The account that a token is of; every account is compared, in the same time.</summary>
    public Account? FindByToken(string token)
    {
        var given = Encoding.UTF8.GetBytes(token);
        Account? found = null;
        foreach (var account in table.Current.Values)
            if (account.HasToken(given)) found = account;
        return found;
    }
}
