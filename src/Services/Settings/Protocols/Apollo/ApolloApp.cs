using System.Collections.Frozen;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>
/// What the clients of an application sign their requests with over Apollo. Its name is the application's id.
/// </summary>
public sealed record ApolloAppSpec(
    [Description("Signs requests: 8 to 128 bytes.")]
    SecretText Secret,
    [Description("The one before, while clients change over.")]
    SecretText? OldSecret = null,
    [Description("Namespaces in which signed requests read settings of the group of this name, and of shared.")]
    [MaxLength(ApolloAppKind.MaxNamespaces)]
    IReadOnlyList<string>? Namespaces = null,
    [Description("True: secret settings, too.")]
    bool ReadSecrets = false);

/// <summary>The kind <c>apollo-app</c>: an application whose requests over Apollo are signed.</summary>
public static class ApolloAppKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "apollo-app";

    /// <summary>Namespaces of one application; it has a few clusters.</summary>
    public const int MaxNamespaces = 32;

    public static Kind<ApolloAppSpec> Kind { get; } = new(Name, ApolloAppJson.Default.ApolloAppSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "An application whose requests over Apollo are signed.",
        Namespaced = false,
        SecretFields = ["secret", "oldSecret"],
        Validate = Validate,
        ValidateAgainst = ValidateAgainst,
    };

    private static void Validate(ApolloAppSpec spec, ICollection<FieldFault> faults)
    {
        CheckSecret("spec.secret", spec.Secret, faults);
        CheckSecret("spec.oldSecret", spec.OldSecret, faults);
        foreach (var (at, @namespace) in (spec.Namespaces ?? []).Index())
            if (!Names.IsNamespace(@namespace))
                faults.Add(new FieldFault($"spec.namespaces[{at}]", "is not a namespace"));
    }

    private static void CheckSecret(string path, SecretText? secret, ICollection<FieldFault> faults)
    {
        if (secret?.Clear is { } clear && Encoding.UTF8.GetByteCount(clear) is < 8 or > 128)
            faults.Add(new FieldFault(path, "must have 8 to 128 bytes"));
    }

    private static void ValidateAgainst(
        Snapshot head, ResourceKey key, ApolloAppSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (!Names.IsSegment(key.Name))
            faults.Add(new FieldFault("name", "must be one segment, the application's id"));
        foreach (var other in head.Of(Name).Keys)
        {
            if (other.Name != key.Name && other.Name.Equals(key.Name, StringComparison.OrdinalIgnoreCase))
                faults.Add(new FieldFault("name", $"differs from {other.Name} in case alone, which Apollo ignores"));
        }
    }
}

/// <summary>An application with its secrets in clear.</summary>
/// <param name="Principal">As whom its signed requests read.</param>
internal sealed record ApolloApp(Principal Principal, IReadOnlyList<byte[]> Secrets)
{
    /// <summary>How far the clock of a client may be off.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Whether a signature is one of these secrets over the time and the path with its query, as it was sent.
    /// </summary>
    public bool Signs(string timestamp, string target, string signature)
    {
        Span<byte> given = stackalloc byte[HMACSHA1.HashSizeInBytes];
        if (!Convert.TryFromBase64String(signature, given, out var length) || length != given.Length) return false;
        var text = Encoding.UTF8.GetBytes($"{timestamp}\n{target}");
        Span<byte> right = stackalloc byte[HMACSHA1.HashSizeInBytes];
        var found = false;
        foreach (var secret in Secrets)
        {
#pragma warning disable CA5350 // HMAC-SHA1 is Apollo's own, and not known to be weak as a MAC.
            HMACSHA1.HashData(secret, text, right);
#pragma warning restore CA5350
            found |= CryptographicOperations.FixedTimeEquals(given, right);
        }
        return found;
    }

    public static ApolloApp Compile(Resource resource, Func<Resource, ReadOnlyMemory<byte>> open)
    {
        using var document = JsonDocument.Parse(open(resource));
        var spec = resource.As<ApolloAppSpec>();
        var secrets = new[] { "secret", "oldSecret" }
            .Select(name => document.RootElement.TryGetProperty(name, out var text) ? text.GetString() : null)
            .OfType<string>().Select(Encoding.UTF8.GetBytes).ToArray();
        var grant = new Grant(
            spec.ReadSecrets ? ["read", "read-secret"] : ["read"], [SettingKind.Name],
            spec.Namespaces is { Count: > 0 } namespaces ? namespaces : [Names.DefaultNamespace],
            [resource.Key.Name + Grant.PrefixEnd, ApolloName.Public + Grant.PrefixEnd]);
        return new ApolloApp(
            new Principal($"apollo:{resource.Key.Name}", []) { Own = GrantSet.Of([grant]) }, secrets);
    }
}

/// <summary>The applications that sign.</summary>
internal sealed partial class ApolloApps : IDisposable
{
    private readonly Func<Resource, ReadOnlyMemory<byte>>? open;
    private readonly ILogger logger;
    private readonly IDisposable subscription;
    private FrozenDictionary<string, ApolloApp?> apps = FrozenDictionary<string, ApolloApp?>.Empty;

    public ApolloApps(
        ISnapshotSource snapshots, Func<Resource, ReadOnlyMemory<byte>>? open, ILogger<ApolloApps> logger)
    {
        this.open = open;
        this.logger = logger;
        subscription = snapshots.Subscribe(Apply);
    }

    /// <summary>True when requests of the application must be signed.</summary>
    /// <param name="app">Null where its secret cannot be read: nothing is signed right then.</param>
    public bool TryFind(string appId, out ApolloApp? app) => Volatile.Read(ref apps).TryGetValue(appId, out app);

    public void Dispose() => subscription.Dispose();

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(ApolloAppKind.Name)) return;
        var next = new Dictionary<string, ApolloApp?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, resource) in change.After.Of(ApolloAppKind.Name))
        {
            try
            {
                next[key.Name] = open is null ? null : ApolloApp.Compile(resource, open);
            }
            catch (Exception failure) when (failure is FormatException or JsonException or CryptographicException)
            {
                LogNotUnderstood(key.Name, failure.Message);
                next[key.Name] = null;
            }
        }
        Volatile.Write(ref apps, next.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));
    }

    [LoggerMessage(1, LogLevel.Error, "The Apollo application {App} is not understood, and reads nothing: {Why}")]
    private partial void LogNotUnderstood(string app, string why);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ApolloAppSpec))]
internal sealed partial class ApolloAppJson : JsonSerializerContext;
