using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Dns.Protocols.HttpDns;
using Groundwork.Kernel.Security;

namespace Groundwork.Communication.Dns;

/// <summary>Whose programs may ask for names over HTTPDNS, and with what. Its name is the account's id.</summary>
public sealed record HttpDnsAccountSpec(
    [Description("Names that it may ask for, such as api.corp.example, *.corp.example, or * for those of all zones.")]
    [Length(1, AccountRules.MaxNames)]
    IReadOnlyList<string> Names,
    [Description("Signs requests in the manner of Alibaba: 16 to 64 bytes in hexadecimal digits.")]
    SecretText? Secret = null,
    [Description("Encrypts in the manner of Alibaba: 16, 24 or 32 bytes in hexadecimal digits.")]
    SecretText? AesKey = null,
    [Description("Encrypts in the manner of Tencent: 16 characters for AES, 8 or more for DES.")]
    SecretText? TencentKey = null,
    [Description("Asks in the manner of Tencent over TLS: 8 to 128 characters.")]
    SecretText? Token = null,
    [Description("Takes requests of the manner of Alibaba without a signature, too.")]
    bool AllowUnsigned = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HttpDnsAccountSpec))]
internal sealed partial class HttpDnsAccountJson : JsonSerializerContext;
