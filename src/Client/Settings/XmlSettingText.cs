using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Groundwork.Client.Settings;

/// <summary>
/// XML as keys: the root element has no name, elements and attributes are keys, and elements of one name beside each
/// other count from 0. No DTD.
/// </summary>
internal static class XmlSettingText
{
    private static readonly XmlReaderSettings Options = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    public static void Read(string text, SettingKeys keys)
    {
        using var reader = XmlReader.Create(new StringReader(text), Options);
        var root = XElement.Load(reader);
        Below(root, keys);
    }

    private static void Read(XElement element, SettingKeys keys)
    {
        Below(element, keys);
        var text = string.Concat(element.Nodes().OfType<XText>().Select(node => node.Value)).Trim();
        if (text.Length > 0 || (!element.HasElements && !element.Attributes().Any(IsValue))) keys.Value(text);
    }

    private static void Below(XElement element, SettingKeys keys)
    {
        foreach (var attribute in element.Attributes().Where(IsValue))
        {
            keys.Enter(attribute.Name.LocalName);
            keys.Value(attribute.Value);
            keys.Leave();
        }
        foreach (var siblings in element.Elements()
            .GroupBy(child => child.Name.LocalName, StringComparer.OrdinalIgnoreCase))
        {
            keys.Enter(siblings.Key);
            var all = siblings.ToList();
            if (all.Count == 1) Read(all[0], keys);
            else ReadList(all, keys);
            keys.Leave();
        }
    }

    private static void ReadList(List<XElement> items, SettingKeys keys)
    {
        for (var index = 0; index < items.Count; index++)
        {
            keys.Enter(index.ToString(CultureInfo.InvariantCulture));
            Read(items[index], keys);
            keys.Leave();
        }
    }

    private static bool IsValue(XAttribute attribute) => !attribute.IsNamespaceDeclaration;
}
