using System.Text;
using Groundwork.Communication.Dns.Steering;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>What an account must keep to.</summary>
internal static class AccountRules
{
    /// <summary>Patterns of names.</summary>
    public const int MaxNames = 256;

    /// <summary>Stands for the names of all zones.</summary>
    public const string AllNames = "*";

    /// <summary>What stands in the place of an account in paths that are something else.</summary>
    private static readonly string[] Taken = ["d", "v1", "v2"];

    public static void Check(string name, HttpDnsAccountSpec spec, ICollection<FieldFault> faults)
    {
        if (name.Contains('/', StringComparison.Ordinal) || Taken.Contains(name))
            faults.Add(new FieldFault("name", "must be one segment, and not d, v1 or v2"));
        for (var place = 0; place < spec.Names.Count; place++)
            if (spec.Names[place] != AllNames && RuleRules.NameOf(spec.Names[place]) is null)
                faults.Add(new FieldFault($"spec.names[{place}]", "must be a name, *. and a name, or *"));
        CheckHex("spec.secret", spec.Secret, bytes => bytes is >= 16 and <= 64, "16 to 64", faults);
        CheckHex("spec.aesKey", spec.AesKey, bytes => bytes is 16 or 24 or 32, "16, 24 or 32", faults);
        CheckText("spec.tencentKey", spec.TencentKey, faults);
        CheckText("spec.token", spec.Token, faults);
        if (spec.Secret is null && !spec.AllowUnsigned && spec.TencentKey is null && spec.Token is null)
            faults.Add(new FieldFault("spec", "needs a secret, a tencentKey, a token, or allowUnsigned"));
    }

    // Null: it is in place already, and was checked when it came.
    private static void CheckHex(
        string at, SecretText? secret, Func<int, bool> fits, string bytes, ICollection<FieldFault> faults)
    {
        if (secret?.Clear is { } clear
            && (clear.Length % 2 != 0 || !clear.All(char.IsAsciiHexDigit) || !fits(clear.Length / 2)))
            faults.Add(new FieldFault(at, $"must be {bytes} bytes in hexadecimal digits"));
    }

    private static void CheckText(string at, SecretText? secret, ICollection<FieldFault> faults)
    {
        if (secret?.Clear is { } clear && (Encoding.UTF8.GetByteCount(clear) is < 8 or > 128))
            faults.Add(new FieldFault(at, "must have 8 to 128 bytes"));
    }
}
