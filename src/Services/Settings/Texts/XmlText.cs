using System.Collections.Immutable;
using System.Xml;
using System.Xml.Linq;

namespace Groundwork.Services.Settings.Texts;

/// <summary>
/// XML in its keys: elements and attributes below the root, elements of one name beside each other counted from 0.
/// Edited node by node; comments and white space stay.
/// </summary>
internal sealed class XmlText : KeyedText
{
    private static readonly XmlReaderSettings Reading = new()
    {
        DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null,
    };

    private readonly XElement root;
    private readonly ImmutableArray<XmlKey> places;

    public XmlText(string content)
        : base(content)
    {
        root = Load(content);
        places = Distinct(XmlKey.ReadAll(root), place => place.Key);
        Keys = [.. places.Select(place => new TextKey(place.Key, place.Value))];
    }

    public override IReadOnlyList<TextKey> Keys { get; }

    public static string EmptyLike(string content) => new XElement(Load(content).Name).ToString();

    protected override KeyedText? Again(string content) => Read("xml", content);

    protected override EditedText? Edit(KeyedText source, IReadOnlySet<string> keys, Func<string, bool> isRight)
    {
        var document = Load(Content).Document ?? new XDocument();
        var mine = document.Root!; // A document that was loaded has one.
        var theirs = ((XmlText)source).places.Where(place => keys.Contains(place.Key)).ToList();
        var taken = theirs.Select(place => place.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var place in XmlKey.ReadAll(mine).ToList())
            if (keys.Contains(place.Key) && !taken.Contains(place.Key)) Remove(place.Node);
        foreach (var place in theirs)
            if (!Set(mine, place)) return null;
        var edited = Write(document);
        return isRight(edited) ? new EditedText(edited, CommentsLost: false) : null;
    }

    private static XElement Load(string content)
    {
        using var reader = XmlReader.Create(new StringReader(content), Reading);
        return XDocument.Load(reader, LoadOptions.PreserveWhitespace).Root
            ?? throw new FormatException("it has no root element");
    }

    // The declaration is kept as it was written, and so is what follows the root.
    private string Write(XDocument document)
    {
        var declaration = "";
        if (Content.StartsWith("<?xml", StringComparison.Ordinal))
        {
            var end = Content.IndexOf("?>", StringComparison.Ordinal) + 2;
            while (end < Content.Length && char.IsWhiteSpace(Content[end])) end++;
            declaration = Content[..end];
        }
        var tail = Content[Content.TrimEnd().Length..];
        document.Declaration = null;
        return declaration + document.ToString(SaveOptions.DisableFormatting).Trim() + tail;
    }

    private static void Remove(XObject node)
    {
        if (node is XAttribute attribute)
        {
            var owner = attribute.Parent;
            attribute.Remove();
            if (owner is not null) RemoveWhenEmpty(owner);
        }
        else if (node is XElement element)
        {
            foreach (var text in element.Nodes().OfType<XText>().ToList())
                if (!string.IsNullOrWhiteSpace(text.Value)) text.Remove();
            RemoveWhenEmpty(element);
        }
    }

    // An element without anything would be a key of its own.
    private static void RemoveWhenEmpty(XElement element)
    {
        while (element.Parent is { } parent && !element.HasElements && !element.HasAttributes
            && string.IsNullOrWhiteSpace(element.Value))
        {
            if (element.PreviousNode is XText space && string.IsNullOrWhiteSpace(space.Value)) space.Remove();
            element.Remove();
            element = parent;
        }
    }

    private bool Set(XElement mine, XmlKey theirs)
    {
        foreach (var place in XmlKey.ReadAll(mine))
        {
            if (!place.Key.Equals(theirs.Key, StringComparison.OrdinalIgnoreCase)) continue;
            place.Write(theirs.Value);
            return true;
        }
        var owner = theirs.Node is XAttribute { Parent: { } at } ? at : ((XElement)theirs.Node).Parent;
        if (owner is null || FindOrAdd(mine, owner) is not { } parent) return false;
        if (theirs.Node is XAttribute attribute)
        {
            parent.SetAttributeValue(attribute.Name, attribute.Value);
            return true;
        }
        var source = (XElement)theirs.Node;
        // Attributes of it may have come before its text.
        if (Counterpart(mine, source) is { } half && !half.HasElements && half.Value.Trim().Length == 0)
            half.Value = theirs.Value;
        else Append(parent, new XElement(source.Name, theirs.Value));
        return true;
    }

    /// <summary>The element at the same place as the source's, made where there is none.</summary>
    private static XElement? FindOrAdd(XElement mine, XElement source)
    {
        if (source.Parent is not { } above) return mine;
        if (Counterpart(mine, source) is { } there) return there;
        if (FindOrAdd(mine, above) is not { } parent) return null;
        var made = new XElement(source.Name);
        Append(parent, made);
        return made;
    }

    private static XElement? Counterpart(XElement mine, XElement source)
    {
        if (source.Parent is not { } above) return mine;
        if (Counterpart(mine, above) is not { } parent) return null;
        var number = Siblings(above, source).TakeWhile(one => one != source).Count();
        return Siblings(parent, source).Skip(number).FirstOrDefault();
    }

    private static IEnumerable<XElement> Siblings(XElement parent, XElement like) => parent.Elements().Where(
        one => one.Name.LocalName.Equals(like.Name.LocalName, StringComparison.OrdinalIgnoreCase));

    /// <summary>Adds at the end, indented as its siblings are.</summary>
    private static void Append(XElement parent, XElement child)
    {
        var before = parent.Elements().LastOrDefault()?.PreviousNode as XText;
        if (before is not null && string.IsNullOrWhiteSpace(before.Value))
        {
            var last = parent.Elements().Last();
            last.AddAfterSelf(new XText(before.Value), child);
            return;
        }
        if (!parent.HasElements && parent.Parent is not null && parent.PreviousNode is XText indent
            && string.IsNullOrWhiteSpace(indent.Value) && string.IsNullOrWhiteSpace(parent.Value))
        {
            parent.Add(new XText(indent.Value + "  "), child, new XText(indent.Value));
            return;
        }
        parent.Add(child);
    }
}

/// <summary>A key of an XML text, and the attribute or the element that has its value.</summary>
internal readonly record struct XmlKey(string Key, string Value, XObject Node)
{
    public static IEnumerable<XmlKey> ReadAll(XElement root) => Below(root, "", 0);

    public void Write(string value)
    {
        if (Node is XAttribute attribute)
        {
            attribute.Value = value;
            return;
        }
        var element = (XElement)Node;
        var texts = element.Nodes().OfType<XText>().ToList();
        var first = texts.Find(text => !string.IsNullOrWhiteSpace(text.Value)) ?? texts.FirstOrDefault();
        if (first is null)
        {
            element.AddFirst(new XText(value));
            return;
        }
        foreach (var other in texts)
            if (other != first && !string.IsNullOrWhiteSpace(other.Value)) other.Remove();
        first.Value = value;
    }

    private static IEnumerable<XmlKey> Of(XElement element, string key, int depth)
    {
        foreach (var below in Below(element, key, depth)) yield return below;
        var text = string.Concat(element.Nodes().OfType<XText>().Select(node => node.Value)).Trim();
        if (text.Length > 0 || (!element.HasElements && !element.Attributes().Any(IsValue)))
            yield return new XmlKey(key, text, element);
    }

    private static IEnumerable<XmlKey> Below(XElement element, string key, int depth)
    {
        if (depth > Formats.XmlFormat.MaxDepth) throw new FormatException("it nests too deep");
        foreach (var attribute in element.Attributes().Where(IsValue))
            yield return new XmlKey(Join(key, attribute.Name.LocalName), attribute.Value, attribute);
        foreach (var siblings in element.Elements()
            .GroupBy(child => child.Name.LocalName, StringComparer.OrdinalIgnoreCase))
        {
            var name = Join(key, siblings.Key);
            var all = siblings.ToList();
            for (var index = 0; index < all.Count; index++)
                foreach (var below in Of(all[index], all.Count == 1 ? name : $"{name}:{index}", depth + 1))
                    yield return below;
        }
    }

    private static string Join(string key, string name) => key.Length == 0 ? name : $"{key}:{name}";

    private static bool IsValue(XAttribute attribute) => !attribute.IsNamespaceDeclaration;
}
