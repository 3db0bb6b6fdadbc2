using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Spring.Ciphers;

/// <summary>The keys in force, by name.</summary>
internal sealed partial class CipherKeys : IDisposable
{
    /// <summary>What names the key of a value, between <c>{cipher}</c> and the value.</summary>
    private const string KeyPrefix = "{key:";

    private readonly Func<Resource, ReadOnlyMemory<byte>>? open;
    private readonly ILogger logger;
    private readonly IDisposable subscription;
    private FrozenDictionary<string, SpringCipher?> keys = FrozenDictionary<string, SpringCipher?>.Empty;

    public CipherKeys(
        ISnapshotSource snapshots, Func<Resource, ReadOnlyMemory<byte>>? open, ILogger<CipherKeys> logger)
    {
        this.open = open;
        this.logger = logger;
        subscription = snapshots.Subscribe(Apply);
    }

    /// <summary>Without one, values stay as they are written: somebody else decrypts them.</summary>
    public bool HasAny => Volatile.Read(ref keys).Count > 0;

    /// <summary>Which key a text is about, and the text without the prefix that says so.</summary>
    /// <param name="name">Null where nothing says so and several keys could be meant.</param>
    public string Split(string text, out string? name)
    {
        var end = text.IndexOf('}', StringComparison.Ordinal);
        if (text.StartsWith(KeyPrefix, StringComparison.Ordinal) && end > KeyPrefix.Length)
        {
            name = text[KeyPrefix.Length..end];
            return text[(end + 1)..];
        }
        var now = Volatile.Read(ref keys);
        name = now.ContainsKey(CipherKeyKind.Default) ? CipherKeyKind.Default
            : now.Count == 1 ? now.Keys[0]
            : null;
        return text;
    }

    /// <summary>Null when there is no such key, or it cannot be opened.</summary>
    public SpringCipher? Find(string? name) =>
        name is null ? null : Volatile.Read(ref keys).GetValueOrDefault(name);

    public static string WithName(string name, string text) => $"{KeyPrefix}{name}}}{text}";

    public void Dispose() => subscription.Dispose();

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(CipherKeyKind.Name)) return;
        var next = new Dictionary<string, SpringCipher?>(StringComparer.Ordinal);
        foreach (var (key, resource) in change.After.Of(CipherKeyKind.Name))
        {
            try
            {
                next[key.Name] = open is null ? null : Compile(resource, open);
            }
            catch (Exception failure) when (failure is FormatException or JsonException or CryptographicException)
            {
                LogNotUnderstood(key.Name, failure.Message);
                next[key.Name] = null;
            }
        }
        Volatile.Write(ref keys, next.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static SpringCipher Compile(Resource resource, Func<Resource, ReadOnlyMemory<byte>> open)
    {
        using var document = JsonDocument.Parse(open(resource));
        return new SpringCipher(
            document.RootElement.GetProperty("key").GetString() ?? "", resource.As<CipherKeySpec>().Salt);
    }

    [LoggerMessage(1, LogLevel.Error, "The cipher key {Key} is not understood, and decrypts nothing: {Why}")]
    private partial void LogNotUnderstood(string key, string why);
}
