using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.SignedUrls;

/// <summary>Makes the step of routes whose addresses are signed, and keeps the keys.</summary>
internal sealed class SignedUrlMaker(
    ISnapshotSource snapshots, OpenSpec open, TimeProvider time, ILogger logger) : IStepMaker, IDisposable
{
    private readonly SecretTable<SigningKey> keys = new(snapshots, SigningKey.Table, open, time, logger);

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { SignedUrls: { } spec }
            && FieldRules.TryReadLongName(spec.Key, context.Key.Namespace, SigningKeyKind.Name, out var key))
            yield return new SignedUrlStep(spec, key, keys, time);
    }

    public void Dispose() => keys.Dispose();
}

/// <summary>
/// Lets pass who comes by an address that was signed with a secret, until it expires. What is signed: a line that says
/// what it is, the path in its normal form, each stated parameter as <c>name=value</c> and as sent, the time, and
/// where it is for one client his address; with line ends between.
/// </summary>
internal sealed class SignedUrlStep(
    SignedUrlSpec spec, ResourceKey key, SecretTable<SigningKey> keys, TimeProvider time) : IRequestStep
{
    /// <summary>Digits of a time in seconds: until the year 33658.</summary>
    private const int MaxDigits = 12;

    /// <summary>Bytes of what is signed: a request line has 8 KiB.</summary>
    private const int MaxText = 16 * 1024;

    private static readonly StepResult Invalid = StepResult.Refuse(new Fault(
        ErrorCodes.UrlSignatureInvalid, "The address is not signed, or not as it stands."));

    private static readonly StepResult Expired = StepResult.Refuse(new Fault(
        ErrorCodes.UrlExpired, "The address was good until a time that is over."));

    private static readonly StepResult Undecided = StepResult.Refuse(new Fault(
        ErrorCodes.AccessUndecided, "The key that addresses are signed with is not known here."));

    private readonly ImmutableArray<byte[]> names = [.. (spec.Query ?? []).Select(Encoding.ASCII.GetBytes)];

    public Stage Stage => Stage.Access;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (!keys.Current.TryGetValue(key, out var signingKey))
            return Tell(exchange, "no key for addresses", Undecided);
        if (signingKey.ExpiresAt <= time.GetUtcNow()) return Tell(exchange, "the key is over", Invalid);
        // Who may look at something may not change it.
        if (exchange.Request.Method is not (KnownMethod.Get or KnownMethod.Head))
            return Tell(exchange, "a signed address is for GET and HEAD", Invalid);
        if (!TryRead(exchange, out var expires) || !IsSigned(exchange, signingKey))
            return Tell(exchange, "the address is not signed", Invalid);
        var left = expires - time.GetUtcNow().ToUnixTimeSeconds();
        if (left < 0) return Tell(exchange, "the address has expired", Expired);
        if (left > spec.MaxSeconds) return Tell(exchange, "the address expires too late", Invalid);
        return Tell(exchange, "the address is signed", StepResult.GoOn);
    }

    private static ValueTask<StepResult> Tell(Exchange exchange, string what, StepResult result)
    {
        exchange.Note(Stage.Access, what);
        return ValueTask.FromResult(result);
    }

    private static bool TryRead(Exchange exchange, out long expires)
    {
        expires = 0;
        return TryFind(exchange, "expires"u8, out var text) && text.Length is > 0 and <= MaxDigits
            && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(text, out expires, out var read) && read == text.Length;
    }

    // False where it stands twice: we and the service might mean different ones.
    private static bool TryFind(Exchange exchange, ReadOnlySpan<byte> wanted, out ReadOnlySpan<byte> found)
    {
        found = default;
        var query = exchange.Request.Query;
        if (!query.IsEmpty) query = query[1..];
        var count = 0;
        while (QueryText.TryTakeNext(ref query, out var name, out var value))
        {
            if (!QueryText.Means(name, wanted)) continue;
            found = value;
            count++;
        }
        return count <= 1;
    }

    private bool IsSigned(Exchange exchange, SigningKey signingKey)
    {
        if (!TryFind(exchange, "signature"u8, out var signature) || signature.Length != 64) return false;
        Span<byte> sent = stackalloc byte[32];
        if (Convert.FromHexString(signature, sent, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        var room = System.Buffers.ArrayPool<byte>.Shared.Rent(MaxText);
        try
        {
            if (!TryWrite(exchange, room, out var length)) return false;
            Span<byte> mac = stackalloc byte[32];
            HMACSHA256.HashData(signingKey.Secret, room.AsSpan(0, length), mac);
            var isSigned = CryptographicOperations.FixedTimeEquals(mac, sent);
            if (signingKey.Previous is not { } previous) return isSigned;
            HMACSHA256.HashData(previous, room.AsSpan(0, length), mac);
            return isSigned | CryptographicOperations.FixedTimeEquals(mac, sent);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(room);
        }
    }

    private bool TryWrite(Exchange exchange, Span<byte> into, out int length)
    {
        length = 0;
        if (!TryAdd(into, ref length, "GROUNDWORK-URL\n"u8) || !TryAdd(into, ref length, exchange.Request.Path))
            return false;
        foreach (var name in names)
            if (!TryFind(exchange, name, out var value) || !TryAdd(into, ref length, "\n"u8)
                || !TryAdd(into, ref length, name) || !TryAdd(into, ref length, "="u8)
                || !TryAdd(into, ref length, value)) return false;
        if (!TryFind(exchange, "expires"u8, out var expires) || !TryAdd(into, ref length, "\n"u8)
            || !TryAdd(into, ref length, expires)) return false;
        if (!spec.Client) return true;
        if (exchange.CallerAddress is not { } address || !TryAdd(into, ref length, "\n"u8)
            || !address.TryFormat(into[length..], out var written)) return false;
        length += written;
        return true;
    }

    private static bool TryAdd(Span<byte> into, ref int length, ReadOnlySpan<byte> text)
    {
        if (!text.TryCopyTo(into[length..])) return false;
        length += text.Length;
        return true;
    }
}
