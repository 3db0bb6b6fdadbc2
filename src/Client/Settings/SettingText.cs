using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Xml;
using Groundwork.Client.Flags;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using YamlDotNet.Core;

namespace Groundwork.Client.Settings;

/// <summary>
/// Turns a setting's text into configuration keys, so that the same content binds to the same keys in every format:
/// objects and sections nest with <c>:</c>, lists count from 0. What has no structure is one value under its dataId.
/// </summary>
internal static class SettingText
{
    /// <summary>A document of feature flags, which are evaluated and are no keys.</summary>
    public const string Flags = "flags";

    /// <summary>Reads the flags of the text; a fault names the setting and what is wrong with it.</summary>
    public static Outcome<ImmutableArray<Flag>> ReadFlags(SettingDocument setting, FlagExposures exposures)
    {
        try
        {
            return FlagDocument.Read(setting.Content, exposures);
        }
        catch (Exception fault) when (IsOfText(fault))
        {
            return Wrong(setting, fault);
        }
    }

    /// <summary>Reads the text; a fault names the setting and what is wrong with it.</summary>
    public static Outcome<ImmutableArray<KeyValuePair<string, string?>>> Read(SettingDocument setting)
    {
        var keys = new SettingKeys();
        try
        {
            switch (setting.Format)
            {
                case Flags:
                    break;
                case "json":
                    JsonSettingText.Read(setting.Content, keys);
                    break;
                case "yaml":
                    YamlSettingText.Read(setting.Content, keys);
                    break;
                case "xml":
                    XmlSettingText.Read(setting.Content, keys);
                    break;
                case "properties":
                    PropertiesSettingText.Read(setting.Content, keys);
                    break;
                default:
                    // Plain text, TOML, and formats of a platform newer than this client.
                    keys.Add(setting.DataId, setting.Content);
                    break;
            }
            return keys.ToImmutable();
        }
        catch (Exception fault) when (IsOfText(fault))
        {
            return Wrong(setting, fault);
        }
    }

    private static bool IsOfText(Exception fault) =>
        fault is JsonException or XmlException or YamlException or FormatException;

    private static Fault Wrong(SettingDocument setting, Exception fault)
    {
        // The words of a secret stay out of logs and receipts; the reader's own messages quote them.
        var wrong = setting.Secret ? $"its text cannot be read{Place(fault)}" : fault.Message;
        return new Fault(ErrorCodes.SettingSyntax, $"{setting.Group}/{setting.DataId}: {wrong}");
    }

    private static string Place(Exception fault) => fault switch
    {
        JsonException { LineNumber: { } line } => string.Create(CultureInfo.InvariantCulture, $", line {line + 1}"),
        XmlException { LineNumber: > 0 } xml => string.Create(CultureInfo.InvariantCulture, $", line {xml.LineNumber}"),
        YamlException yaml => string.Create(CultureInfo.InvariantCulture, $", line {yaml.Start.Line}"),
        _ => "",
    };
}
