using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access.Callers;

/// <summary>
/// Whom a credential proves, with what goes to services on his behalf. One object serves all requests with the same
/// credential, so that what is made for one of them is made once.
/// </summary>
internal sealed class CallerIdentity(Caller caller)
{
    internal static readonly byte[] UserField = Encoding.ASCII.GetBytes(HeaderNames.User);
    internal static readonly byte[] KeyField = Encoding.ASCII.GetBytes(HeaderNames.Key);
    internal static readonly byte[] TenantField = Encoding.ASCII.GetBytes(HeaderNames.Tenant);

    private WrittenField[]? fields;
    private CallerIdentity? beside;
    private SignedIdentity? signed;

    public Caller Caller => caller;

    /// <summary>What his token says; null when he has none.</summary>
    public ClaimSet? Claims { get; init; }

    public string[] Scopes { get; init; } = [];

    /// <summary>The jti of his token; null when it has none.</summary>
    public string? TokenId { get; init; }

    /// <summary>Seconds since 1970 from which on nothing more is signed for him.</summary>
    public double ExpiresAt { get; init; } = double.MaxValue;

    /// <summary>The header fields that name him, as services get them.</summary>
    public WrittenField[] Fields => Volatile.Read(ref fields) ?? (fields = MakeFields());

    /// <summary>What was last signed for him.</summary>
    public SignedIdentity? Signed
    {
        get => Volatile.Read(ref signed);
        set => Volatile.Write(ref signed, value);
    }

    /// <summary>The same with what an earlier step has found out about him.</summary>
    public CallerIdentity Beside(Caller? before)
    {
        if (before is null) return this;
        var both = new Caller(caller.User ?? before.User, caller.Key ?? before.Key, caller.Tenant ?? before.Tenant);
        if (both == caller) return this;
        if (Volatile.Read(ref beside) is { } known && known.Caller == both) return known;
        var joined = new CallerIdentity(both)
        {
            Claims = Claims,
            Scopes = Scopes,
            TokenId = TokenId,
            ExpiresAt = ExpiresAt,
        };
        Volatile.Write(ref beside, joined);
        return joined;
    }

    private WrittenField[] MakeFields()
    {
        var made = new List<WrittenField>();
        if (caller.User is { } user) made.Add(new(UserField, Write(user)));
        if (caller.Key is { } key) made.Add(new(KeyField, Write(key)));
        if (caller.Tenant is { } tenant) made.Add(new(TenantField, Write(tenant)));
        return [.. made];
    }

    // What a field cannot carry is escaped as in an address: a name cannot end a line, nor begin a second value.
    private static byte[] Write(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.AsSpan().IndexOfAnyExceptInRange((byte)0x21, (byte)0x7e) < 0
            && bytes.AsSpan().IndexOfAny("%,\""u8) < 0) return bytes;
        var output = new StringBuilder(bytes.Length * 2);
        foreach (var one in bytes)
        {
            if (one is > 0x20 and < 0x7f and not ((byte)'%' or (byte)',' or (byte)'"')) output.Append((char)one);
            else output.Append('%').Append(one.ToString("X2", CultureInfo.InvariantCulture));
        }
        return Encoding.ASCII.GetBytes(output.ToString());
    }
}

/// <summary>A signed token of ours about a caller.</summary>
/// <param name="For">What it was signed for.</param>
/// <param name="RenewAt">Seconds since 1970 from which on another is signed.</param>
internal sealed record SignedIdentity(object For, double RenewAt, WrittenField Field);
