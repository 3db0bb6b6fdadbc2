using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>A RabbitMQ over which Spring's applications are told to read their configuration again.</summary>
public sealed record ConfigBusSpec(
    [Description("Its name or address.")]
    string Host,
    [Description("Its port; 0: 5672, and with TLS 5671.")]
    [Range(0, 65_535)]
    int Port = 0,
    [Description("Who signs in.")]
    string Username = "guest",
    [Description("The password.")]
    SecretText? Password = null,
    [Description("The virtual host.")]
    string VirtualHost = "/",
    [Description("True: over TLS, with a certificate that is valid for the name.")]
    bool Tls = false,
    [Description("The topic exchange, springCloudBus unless the applications say otherwise.")]
    string Exchange = ConfigBusKind.DefaultExchange,
    [Description("What it is for, for people.")]
    string? Description = null);

/// <summary>The kind <c>config-bus</c>.</summary>
public static class ConfigBusKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "config-bus";

    /// <summary>What Spring Cloud Bus calls its exchange.</summary>
    public const string DefaultExchange = "springCloudBus";

    /// <summary>Buses of one node: each holds a connection.</summary>
    public const int MaxBuses = 16;

    private const int MaxText = 255;

    public static Kind<ConfigBusSpec> Kind { get; } = new(Name, ConfigBusJson.Default.ConfigBusSpec)
    {
        Module = SettingsModule.ModuleName,
        Summary = "A RabbitMQ over which applications are told to read their configuration again.",
        Namespaced = false,
        SecretFields = ["password"],
        Validate = Validate,
        ValidateAgainst = static (head, key, spec, faults) =>
        {
            if (spec is not null && head.Of(Name).Count(one => one.Key != key) >= MaxBuses)
                faults.Add(new FieldFault("name", $"is one too many: there are {MaxBuses} buses already"));
        },
    };

    private static void Validate(ConfigBusSpec spec, ICollection<FieldFault> faults)
    {
        if (Uri.CheckHostName(spec.Host) == UriHostNameType.Unknown)
            faults.Add(new FieldFault("spec.host", "must be a name or an address without a port"));
        if (spec.Port is < 0 or > 65_535) faults.Add(new FieldFault("spec.port", "must be 0 to 65535"));
        CheckText("spec.username", spec.Username, faults);
        CheckText("spec.virtualHost", spec.VirtualHost, faults);
        CheckText("spec.exchange", spec.Exchange, faults);
        if (spec.Password?.Clear is { } clear && Encoding.UTF8.GetByteCount(clear) is 0 or > 1_024)
            faults.Add(new FieldFault("spec.password", "must have 1 to 1024 bytes"));
        if (spec.Description is { Length: > SettingKind.MaxDescription })
            faults.Add(
                new FieldFault("spec.description", $"is longer than {SettingKind.MaxDescription} characters"));
    }

    private static void CheckText(string path, string text, ICollection<FieldFault> faults)
    {
        if (Encoding.UTF8.GetByteCount(text) is 0 or > MaxText || text.Any(char.IsControl))
            faults.Add(new FieldFault(path, $"must be text of 1 to {MaxText} bytes"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ConfigBusSpec))]
internal sealed partial class ConfigBusJson : JsonSerializerContext;
