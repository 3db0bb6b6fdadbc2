using System.Collections.Frozen;
using System.Text;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>
/// The accounts in force. On a node that follows another there are none: their secrets do not leave the store's nodes.
/// </summary>
internal sealed partial class AccountTable : IDisposable
{
    private readonly Func<Resource, ReadOnlyMemory<byte>>? open;
    private readonly ILogger logger;
    private readonly IDisposable subscription;
    private FrozenDictionary<string, Account> accounts = FrozenDictionary<string, Account>.Empty;

    public AccountTable(
        ISnapshotSource snapshots, Func<Resource, ReadOnlyMemory<byte>>? open, ILogger<AccountTable> logger)
    {
        this.open = open;
        this.logger = logger;
        subscription = snapshots.Subscribe(Apply);
    }

    public void Dispose() => subscription.Dispose();

    public Account? Find(string id) => Volatile.Read(ref accounts).GetValueOrDefault(id);

    /// <summary>The account that a token is of; every account is compared, in the same time.</summary>
    public Account? FindByToken(string token)
    {
        var given = Encoding.UTF8.GetBytes(token);
        Account? found = null;
        foreach (var account in Volatile.Read(ref accounts).Values)
            if (account.HasToken(given)) found = account;
        return found;
    }

    private void Apply(SnapshotChange change)
    {
        if (open is null || !change.Touches(HttpDnsAccountKind.Name)) return;
        var next = new Dictionary<string, Account>(StringComparer.Ordinal);
        foreach (var (key, resource) in change.After.Of(HttpDnsAccountKind.Name))
        {
            try
            {
                next[key.Name] = Account.Compile(resource, open);
            }
            catch (Exception failure) when (failure is FormatException or System.Text.Json.JsonException)
            {
                LogNotUnderstood(key.Name, failure.Message); // The others go on.
            }
        }
        Volatile.Write(ref accounts, next.ToFrozenDictionary(StringComparer.Ordinal));
    }

    [LoggerMessage(1, LogLevel.Error, "The HTTPDNS account {Account} is not understood, and may ask nothing: {Why}")]
    private partial void LogNotUnderstood(string account, string why);
}
