using System.Text.Json;
using Groundwork.Kernel.Schemas;
using Groundwork.Services.Settings.Formats;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Schemas;

/// <summary>A setting's schema: read once for each publication, and what its text is held to.</summary>
internal static class SettingSchema
{
    /// <summary>
    /// How the message of a text's fault begins; the keyword that it breaks follows, and both never change.
    /// </summary>
    public const string CodePrefix = "schema.";

    /// <summary>Adds what is wrong with a schema, and with the text by it.</summary>
    public static void Check(SettingSpec spec, JsonElement document, ICollection<FieldFault> faults)
    {
        var before = faults.Count;
        if (SchemaReading.Read(document, SettingKind.SchemaPath, faults) is not { } schema) return;
        if (!SchemaSubject.Formats.Contains(spec.Format))
        {
            faults.Add(new FieldFault(
                SettingKind.SchemaPath, $"goes with the formats {string.Join(", ", SchemaSubject.Formats)}"));
        }
        if (faults.Count > before || spec.Content == MaskedContentJson.Masked) return;
        if (SchemaSubject.Of(spec.Format, spec.Content) is not { } subject) return; // Its format is told already.
        var contentFaults = new ContentFaults(faults, spec.Secret);
        var options = subject.IsUntyped ? SchemaCheckOptions.Untyped : SchemaCheckOptions.Typed;
        foreach (var fault in SchemaCheck.Run(schema, subject.Root, options))
        {
            var (line, column) = subject.Locate(fault.Place);
            // What a fault says of the text repeats its names and values; the schema is nobody's secret.
            var message = spec.Secret ? "is broken here" : $"{fault.Place} {fault.Message}".TrimStart();
            contentFaults.Add(
                $"{CodePrefix}{fault.Keyword}: {ContentFaults.Printable(message)} (#{fault.Pointer})", line, column);
        }
    }
}
