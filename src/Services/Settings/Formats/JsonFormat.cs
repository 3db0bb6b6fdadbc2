using Groundwork.Kernel.Documents;

namespace Groundwork.Services.Settings.Formats;

/// <summary>RFC 8259 to the letter: no comments, no trailing commas, no key twice in one object.</summary>
internal static class JsonFormat
{
    public static void Check(string content, ContentFaults faults)
    {
        foreach (var fault in JsonReader.Read(content).Faults)
            faults.Quoting("JSON", fault.Message, fault.Line ?? 1, fault.Column ?? 1);
    }
}
