#include "codec/xml/decoder.h"
#include "codec/xml/framing.h"
#include "codec_fixture.h"
#include "stage/format.h"

namespace leat {
namespace {

constexpr std::string_view kOrderDocument = R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- of today -->
<orders>
  <order id="1"><sku>A-7</sku><qty>2</qty></order>
  <customer><name>nobody asks for</name></customer>
  <order id="2"><sku>B&amp;B</sku><qty>0.50</qty><paid/></order>
</orders>
)";

class XmlDecoderTest : public CodecTest {
 protected:
  static XmlDialect dialect(const std::vector<std::string>& steps = {"orders", "order"}) {
    XmlDialect dialect;
    dialect.path.steps = steps;
    return dialect;
  }
  Strings read(const XmlDialect& dialect, std::string_view text) {
    XmlDecoder decoder(dialect);
    BatchRef batch = bytes_of(text);
    batch->end.offset = text.size();
    batch->end.last = true;
    return decode(decoder, batch);
  }
  Strings read(std::string_view text) { return read(dialect(), text); }
  // The only record of it.
  std::string one(std::string_view element, XmlDialect dialect = {}) {
    Strings records = read(dialect, element);
    EXPECT_EQ(records.size(), 1U) << element
                                  << (dead_.letters.empty() ? "" : dead_.letters[0].reason);
    return records.empty() ? "" : records[0];
  }
  std::string first_reason() { return dead_.letters.empty() ? "" : dead_.letters[0].reason; }
};

TEST_F(XmlDecoderTest, makes_a_record_of_each_element_at_the_path) {
  EXPECT_EQ(read(kOrderDocument), (Strings{R"({"@id":1,"sku":"A-7","qty":2})",
                                           R"({"@id":2,"sku":"B&B","qty":0.50,"paid":null})"}));
  EXPECT_EQ(dead_.reasons(), Strings{});
  EXPECT_EQ(batch_->records[0].end_line, 3U);
  EXPECT_EQ(batch_->records[1].end_offset, kOrderDocument.find("</orders>") - 1);
}

TEST_F(XmlDecoderTest, makes_a_record_of_a_documents_root_where_no_path_is_given) {
  EXPECT_EQ(read(dialect({}), "<?xml version='1.0'?><a><x>1</x></a>\n<b y='2'/>\n"),
            (Strings{R"({"x":1})", R"({"@y":2})"}));
}

TEST_F(XmlDecoderTest, reads_nested_elements_as_json_and_repeated_ones_as_arrays) {
  EXPECT_EQ(one("<o><item n='1'><sku>A</sku></item><item n='2'/><tag>x</tag><tag>y</tag></o>"),
            R"({"item":[{"@n":1,"sku":"A"},{"@n":2}],"tag":["x","y"]})");
  EXPECT_EQ(one("<o><a><b><c>1</c><c>2</c></b><d/></a></o>"),
            R"({"a":{"b":{"c":[1,2]},"d":null}})");
  // Other elements may stand between.
  EXPECT_EQ(one("<o><a>1</a><b>2</b><a>3</a></o>"), R"({"a":[1,3],"b":2})");
  EXPECT_EQ(value(0, "a").type, Type::kJson);
}

TEST_F(XmlDecoderTest, reads_an_array_where_one_is_asked_for_though_there_is_one_element) {
  XmlDialect with = dialect({});
  with.arrays = {"item", "tag"};
  EXPECT_EQ(one("<o><item><sku>A</sku></item><tag>x</tag></o>", with),
            R"({"item":[{"sku":"A"}],"tag":["x"]})");
  EXPECT_EQ(one("<o><in><tag>x</tag></in></o>", with), R"({"in":{"tag":["x"]}})");
}

TEST_F(XmlDecoderTest, keeps_text_beside_attributes_and_elements) {
  EXPECT_EQ(one("<o unit='C'>21.5</o>"), R"({"@unit":"C","#text":21.5})");
  EXPECT_EQ(one("<o><t unit='C'>21.5</t></o>"), R"({"t":{"@unit":"C","#text":21.5}})");
  EXPECT_EQ(one("<o><p>an <b>old</b> text</p></o>"), R"({"p":{"b":"old","#text":"an  text"}})");
  EXPECT_EQ(one("<o><t> </t><u>\n  <v>1</v>\n</u></o>"), R"({"t":" ","u":{"v":1}})");
  EXPECT_EQ(one("<o><t><![CDATA[<&>]]> and &lt;&#65;&#x42;</t></o>"), R"({"t":"<&> and <AB"})");
}

TEST_F(XmlDecoderTest, leaves_text_as_it_is_where_no_types_are_inferred) {
  XmlDialect strings = dialect({});
  strings.infer = false;
  EXPECT_EQ(one("<o a='1'><b>2</b><c><d>true</d></c></o>", strings),
            R"({"@a":"1","b":"2","c":{"d":"true"}})");
  EXPECT_EQ(one("<o><a>007</a><b>+1</b><c>1e3</c><d>TRUE</d></o>"),
            R"({"a":"007","b":"+1","c":1e3,"d":"TRUE"})");
}

TEST_F(XmlDecoderTest, names_fields_by_the_prefixes_that_are_asked_for) {
  XmlDialect mapped = dialect();
  mapped.namespaces = {{"o", "urn:orders"}, {"", "urn:plain"}};
  EXPECT_EQ(read(mapped,
                 "<x:orders xmlns:x='urn:orders' xmlns='urn:plain'>"
                 "<x:order x:id='1' n='2'><x:qty>3</x:qty><sku>A</sku>"
                 "<qty xmlns='urn:orders'>4</qty><z:q xmlns:z='urn:other'>5</z:q></x:order>"
                 "<x:order><sku>B</sku></x:order></x:orders>"),
            (Strings{R"({"@o:id":1,"@n":2,"o:qty":[3,4],"sku":"A","z:q":5})", R"({"sku":"B"})"}));
  // Without, names are as they are written, and declarations are no attributes.
  EXPECT_EQ(read("<x:orders xmlns:x='urn:orders'><x:order xmlns:y='urn:y'><x:a>1</x:a></x:order>"
                 "</x:orders>"),
            (Strings{R"({"x:a":1})"}));
}

TEST_F(XmlDecoderTest, knows_the_namespaces_of_a_document_that_it_reads_on_in_the_middle) {
  XmlDialect mapped = dialect();
  mapped.namespaces = {{"o", "urn:orders"}};
  EXPECT_TRUE(XmlDecoder::needs_preamble(mapped));
  XmlDecoder decoder(mapped);
  BatchRef start = bytes_of("<x:orders xmlns:x='urn:orders'><x:order><x:a>1</x:a></x:order>");
  start->preamble = true;
  EXPECT_EQ(decode(decoder, start), Strings{});
  BatchRef middle = bytes_of("<x:order><x:a>2</x:a></x:order></x:orders>");
  middle->begin.offset = 5000;
  middle->end = {0, 5042, 0, true};
  EXPECT_EQ(decode(decoder, middle), Strings{R"({"o:a":2})"});
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(XmlDecoderTest, loses_no_record_beside_a_bad_one) {
  EXPECT_EQ(
      read("<orders><order><a>1</b></order><order><a>2</a></order>"
           "<order><a>&nothing;</a></order><order><a b='1' b='2'/></order>"
           "<order><a>\x01</a></order><order><a>\xFF</a></order><order><a>3</a></order></orders>"),
      (Strings{R"({"a":2})", R"({"a":3})"}));
  EXPECT_EQ(
      dead_.reasons(),
      (Strings{"invalid XML in line 1, column 14 of the record: mismatched tag",
               "invalid XML in line 1, column 11 of the record: undefined entity",
               "invalid XML in line 1, column 17 of the record: duplicate attribute",
               "invalid XML in line 1, column 11 of the record: not well-formed (invalid token)",
               "invalid XML in line 1, column 11 of the record: not well-formed (invalid token)"}));
  EXPECT_EQ(dead_.letters[0].text, "<order><a>1</b></order>");
}

TEST_F(XmlDecoderTest, expands_no_entities) {
  EXPECT_EQ(read(R"(<!DOCTYPE orders [<!ENTITY a "ha"><!ENTITY b "&a;&a;"> ]>
<orders><order><x>&b;</x></order><order><x>2</x></order></orders>)"),
            (Strings{R"({"x":2})"}));
  EXPECT_EQ(dead_.reasons(),
            Strings{"invalid XML in line 1, column 11 of the record: undefined entity"});
}

TEST_F(XmlDecoderTest, goes_no_deeper_than_json_may) {
  std::string deep;
  for (int i = 0; i < 80; ++i) deep += "<a>";
  for (int i = 0; i < 80; ++i) deep += "</a>";
  EXPECT_EQ(read("<orders><order>" + deep + "</order><order><x>2</x></order></orders>"),
            (Strings{R"({"x":2})"}));
  EXPECT_NE(first_reason().find("elements nested more than 60 levels deep"), std::string::npos);
}

TEST_F(XmlDecoderTest, says_what_is_no_part_of_a_document_and_reads_on) {
  EXPECT_EQ(read("<orders>what<order><x>1</x></order></other><order><x>2</x></order></orders>"
                 "<invoices><order><x>3</x></order></invoices>"
                 "<orders><order><x>4</x></order></orders>"),
            (Strings{R"({"x":1})", R"({"x":2})", R"({"x":4})"}));
  EXPECT_EQ(dead_.reasons(),
            (Strings{"text outside of a record", "the end of an element that is not open",
                     "not the root that xml.record begins with"}));
  EXPECT_EQ(dead_.texts()[2], "<invoices><order><x>3</x></order></invoices>");
}

TEST_F(XmlDecoderTest, says_that_a_document_was_torn_off) {
  EXPECT_EQ(read("<orders><order><x>1</x></order><order><x>2</x>"), (Strings{R"({"x":1})"}));
  EXPECT_EQ(dead_.reasons(),
            (Strings{"the input ends within it", "the input ends before </orders>"}));
  EXPECT_EQ(dead_.texts()[0], "<order><x>2</x>");
}

TEST_F(XmlDecoderTest, reads_on_at_the_next_document_where_one_was_torn_off) {
  EXPECT_EQ(read("<?xml version='1.0'?><orders><order><x>1</x></order><order><x>"
                 "<?xml version='1.0'?><orders><order><x>2</x></order></orders>"),
            (Strings{R"({"x":1})", R"({"x":2})"}));
  EXPECT_EQ(dead_.reasons(), Strings{"it has no end"});
}

TEST_F(XmlDecoderTest, finds_the_end_of_a_record_that_holds_one_of_its_own_name) {
  EXPECT_EQ(read("<orders><order><order><x>1</x></order><order/></order></orders>"),
            (Strings{R"({"order":[{"x":1},null]})"}));
}

TEST_F(XmlDecoderTest, takes_no_tags_for_those_in_comments_and_values) {
  EXPECT_EQ(read("<orders a='>'><order b='/>'><!-- </order> --><x><![CDATA[</order>]]></x>"
                 "<?p </order>?></order></orders>"),
            (Strings{R"({"@b":"/>","x":"</order>"})"}));
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(XmlDecoderTest, reads_latin1_when_told_to) {
  XmlDialect latin1 = dialect({});
  latin1.latin1 = true;
  EXPECT_EQ(one("<?xml version='1.0' encoding='ISO-8859-1'?><o><n>caf\xE9</n></o>", latin1),
            "{\"n\":\"caf\xC3\xA9\"}");
  dead_.letters.clear();
  read(dialect({}), "<?xml version='1.0' encoding='ISO-8859-1'?><o><n>x</n></o>");
  EXPECT_EQ(first_reason(), "the document is in ISO-8859-1, and xml.encoding says utf-8");
}

TEST_F(XmlDecoderTest, reads_a_message_as_one_document_or_not_at_all) {
  XmlDecoder decoder(dialect());
  EXPECT_EQ(
      decode(decoder, slices_of({"<orders><order><x>1</x></order><order><x>2</x></order></orders>",
                                 "<orders/>", "<orders></orders>",
                                 "<orders><order><x>3</x></order><order><y></order></orders>",
                                 "<orders><order><x>4</x></order>", "no XML", "", "<other/>",
                                 "<!-- nothing -->"})),
      (Strings{R"({"x":1})", R"({"x":2})"}));
  EXPECT_EQ(batch_->records[0].end_offset, 100U);
  EXPECT_EQ(dead_.reasons(),
            (Strings{"invalid XML in line 1, column 13 of the record: mismatched tag",
                     "it ends before </orders>", "text outside of a record",
                     "not the root that xml.record begins with", "no XML document"}));
}

TEST_F(XmlDecoderTest, makes_the_same_records_wherever_the_input_is_cut) {
  const XmlFraming framing(dialect().path);
  const Strings whole = read(kOrderDocument);
  for (size_t seen = 0; seen <= kOrderDocument.size(); ++seen) {
    XmlDecoder decoder(dialect());
    const size_t cut = framing.complete_prefix(kOrderDocument.substr(0, seen));
    BatchRef first = bytes_of(kOrderDocument.substr(0, cut));
    first->end.offset = cut;
    Strings records = decode(decoder, first);
    // Also by one that has not seen the start.
    XmlDecoder fresh(dialect());
    for (XmlDecoder* next : {&decoder, &fresh}) {
      BatchRef second = bytes_of(kOrderDocument.substr(cut));
      second->begin.offset = cut;
      second->end = {0, kOrderDocument.size(), 0, true};
      Strings all = records;
      for (std::string& record : decode(*next, second)) all.push_back(std::move(record));
      EXPECT_EQ(all, whole) << seen;
    }
  }
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(XmlDecoderTest, goes_on_behind_a_record_that_is_too_long) {
  const XmlFraming framing(dialect().path);
  const std::string long_one = "<order><x>" + std::string(100, 'x') + "</x></order>";
  const std::string after = "<order><x>1</x></order></orders>";
  const std::string bytes = "<orders><order/>" + long_one + after;
  const size_t begins = framing.first_longer(bytes, 50);
  EXPECT_EQ(begins, bytes.find(long_one));
  GivenUp place;
  EXPECT_EQ(framing.behind_given_up(std::string_view(bytes).substr(begins), 50, place),
            long_one.size());
  EXPECT_FALSE(place.going_on);
  // In parts, which may cut the end tag.
  for (size_t seen = 50; seen < long_one.size(); ++seen) {
    place = {};
    const std::string_view all = std::string_view(bytes).substr(begins);
    size_t behind = framing.behind_given_up(all.substr(0, seen), 50, place);
    EXPECT_TRUE(place.going_on) << seen;
    behind += framing.behind_given_up(all.substr(behind), 0, place);
    EXPECT_EQ(all.substr(behind), after) << seen;
  }
  // What is no record is given up before the next one.
  const std::string other = "<other>" + std::string(100, 'x') + "<y/></other>";
  place = {};
  EXPECT_EQ(framing.behind_given_up(other.substr(0, 60), 50, place), 60U);
  EXPECT_EQ(framing.behind_given_up(other.substr(60) + after, 0, place), other.size() - 60);
}

TEST_F(XmlDecoderTest, says_what_is_wrong_with_its_options) {
  const ReadFormat* xml = find_read_format("xml");
  ASSERT_NE(xml, nullptr);
  const auto problem = [&](const char* record) {
    Options options(xml->options, "source.xml");
    options.set("record", record);
    auto decoder = xml->make_decoder(options);
    return decoder ? "" : decoder.error().message();
  };
  EXPECT_EQ(problem("/orders/order"), "");
  EXPECT_EQ(
      problem("order"),
      "source.xml.record: must be a path from the root such as \"/orders/order\", found \"order\"");
  EXPECT_EQ(problem("/o:orders/order"),
            "source.xml.record: must be names of elements without prefixes, each behind a \"/\", "
            "found \"/o:orders/order\"");
  EXPECT_EQ(problem("/node/node"),
            "source.xml.record: must be another name for the record than for the root, found "
            "\"/node/node\"");
}

}  // namespace
}  // namespace leat
