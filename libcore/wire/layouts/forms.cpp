// SPDX-License-Identifier: BSD-2-Clause
#include "forms.hpp"

#include <vector>

#include "../tables.hpp"
#include "commands.hpp"
#include "discovery.hpp"
#include "fabrics.hpp"
#include "identify.hpp"
#include "logs.hpp"

namespace nvmf::wire {

namespace {

struct command_form {
  std::uint8_t opcode;
  const layout* sqe;
  const layout* success;  // its completion when that says more than `cqe`
};

constexpr command_form form(admin_opcode o, const layout& sqe, const layout* success = nullptr) {
  return {static_cast<std::uint8_t>(o), &sqe, success};
}
constexpr command_form form(nvm_opcode o, const layout& sqe, const layout* success = nullptr) {
  return {static_cast<std::uint8_t>(o), &sqe, success};
}
constexpr command_form form(fabrics_type o, const layout& sqe, const layout* success) {
  return {static_cast<std::uint8_t>(o), &sqe, success};
}

constexpr command_form admin_forms[] = {
    form(admin_opcode::delete_io_sq, delete_io_sq_command),
    form(admin_opcode::create_io_sq, create_io_sq_command),
    form(admin_opcode::get_log_page, get_log_page_command),
    form(admin_opcode::delete_io_cq, delete_io_cq_command),
    form(admin_opcode::create_io_cq, create_io_cq_command),
    form(admin_opcode::identify, identify_command),
    form(admin_opcode::abort, abort_command, &abort_response),
    form(admin_opcode::set_features, set_features_command, &features_response),
    form(admin_opcode::get_features, get_features_command, &features_response),
    form(admin_opcode::async_event_request, async_event_request_command, &async_event_response),
    form(admin_opcode::namespace_management, namespace_management_command,
         &namespace_management_response),
    form(admin_opcode::firmware_commit, firmware_commit_command, &firmware_commit_response),
    form(admin_opcode::firmware_image_download, firmware_image_download_command),
    form(admin_opcode::device_self_test, device_self_test_command),
    form(admin_opcode::namespace_attachment, namespace_attachment_command),
    form(admin_opcode::keep_alive, keep_alive_command),
    form(admin_opcode::directive_send, directive_send_command),
    form(admin_opcode::directive_receive, directive_receive_command),
    form(admin_opcode::virtualization_management, virtualization_management_command,
         &virtualization_management_response),
    form(admin_opcode::capacity_management, capacity_management_command),
    form(admin_opcode::lockdown, lockdown_command),
    form(admin_opcode::format_nvm, format_nvm_command),
    form(admin_opcode::security_send, security_send_command),
    form(admin_opcode::security_receive, security_receive_command),
    form(admin_opcode::sanitize, sanitize_command),
    form(admin_opcode::get_lba_status, get_lba_status_command),
};
constexpr command_form nvm_forms[] = {
    form(nvm_opcode::flush, flush_command),
    form(nvm_opcode::write, write_command),
    form(nvm_opcode::read, read_command),
    form(nvm_opcode::write_uncorrectable, write_uncorrectable_command),
    form(nvm_opcode::compare, compare_command),
    form(nvm_opcode::write_zeroes, write_zeroes_command),
    form(nvm_opcode::dataset_management, dataset_management_command),
    form(nvm_opcode::verify, verify_command),
    form(nvm_opcode::reservation_register, reservation_register_command),
    form(nvm_opcode::reservation_report, reservation_report_command),
    form(nvm_opcode::reservation_acquire, reservation_acquire_command),
    form(nvm_opcode::reservation_release, reservation_release_command),
    form(nvm_opcode::copy, copy_command),
};
constexpr command_form fabrics_forms[] = {
    form(fabrics_type::property_set, property_set_command, &fabrics_response),
    form(fabrics_type::connect, connect_command, &connect_response),
    form(fabrics_type::property_get, property_get_command, &property_get_response),
    form(fabrics_type::authentication_send, auth_send_command, &fabrics_response),
    form(fabrics_type::authentication_receive, auth_receive_command, &fabrics_response),
    form(fabrics_type::disconnect, disconnect_command, &fabrics_response),
};

const command_form* find_form(std::uint8_t opcode, bool admin_queue, std::uint8_t fctype) {
  const bool fabrics = opcode == fabrics_opcode;
  const std::span<const command_form> forms = fabrics ? std::span{fabrics_forms}
                                              : admin_queue
                                                  ? std::span{admin_forms}
                                                  : std::span<const command_form>{nvm_forms};
  for (const command_form& f : forms)
    if (f.opcode == (fabrics ? fctype : opcode)) return &f;
  return nullptr;
}

std::uint8_t byte_at(byte_span b, std::size_t offset) {
  return offset < b.size() ? std::to_integer<std::uint8_t>(b[offset]) : std::uint8_t{0};
}
std::uint64_t value_at(byte_span b, std::size_t offset, std::size_t size) {
  return offset + size <= b.size() ? load_le(b, offset, size) : 0;
}
const command_form* find_form(byte_span sqe, bool admin_queue) {
  if (sqe.empty()) return nullptr;
  return find_form(byte_at(sqe, 0), admin_queue, byte_at(sqe, 4));
}

// The forms of one completion whose first field reads as one of many layouts: a feature's dword, a
// property. The same rows, with the bits of each value put on the first.
class forms_by_value {
 public:
  forms_by_value(const layout& base, const std::vector<const layout*>& values)
      : base_(base), rows_(values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      rows_[i].assign(base.fields.begin(), base.fields.end());
      rows_[i][0].of = values[i];
      forms_.push_back({base.name, base.title, base.section, base.size, rows_[i]});
    }
  }
  const layout& of(const layout* value) const {
    for (const layout& l : forms_)
      if (l.fields[0].of == value) return l;
    return base_;
  }

 private:
  const layout& base_;
  std::vector<std::vector<field>> rows_;
  std::vector<layout> forms_;
};

const layout& features_form(byte_span sqe) {
  static const forms_by_value forms = [] {
    std::vector<const layout*> values{&feature_capabilities};
    for (const feature_form& f : feature_forms)
      if (f.value != nullptr) values.push_back(f.value);
    return forms_by_value{features_response, values};
  }();
  const bool get = byte_at(sqe, 0) == static_cast<std::uint8_t>(admin_opcode::get_features);
  const auto select = static_cast<feature_select>(byte_at(sqe, 41) & 7);
  if (get && select == feature_select::supported_capabilities) {
    return forms.of(&feature_capabilities);
  }
  const auto fid = static_cast<feature>(byte_at(sqe, 40));
  // Of Set Features, Number of Queues alone answers with a value.
  if (!get && fid != feature::number_of_queues) return features_response;
  const feature_form* f = find_feature(byte_at(sqe, 40));
  return f != nullptr ? forms.of(f->value) : features_response;
}

const layout& property_form(byte_span sqe) {
  static const forms_by_value forms = [] {
    std::vector<const layout*> values;
    for (const property_place& p : property_places) values.push_back(p.of);
    return forms_by_value{property_get_response, values};
  }();
  return forms.of(property_layout(static_cast<std::uint32_t>(value_at(sqe, 44, 4))));
}

// The data of Identify (Base 2.0, 5.17.2): by CNS, and by CSI where the data differs with it.
const layout* identify_data(byte_span sqe) {
  const bool nvm_set = byte_at(sqe, 47) == static_cast<std::uint8_t>(csi::nvm);
  switch (static_cast<cns>(byte_at(sqe, 40))) {
    case cns::namespace_:
    case cns::allocated_namespace:
      return &identify_namespace;
    case cns::controller:
      return &identify_controller;
    case cns::active_namespace_list:
    case cns::csi_active_namespace_list:
    case cns::allocated_namespace_list:
    case cns::csi_allocated_namespace_list:
      return &namespace_list;
    case cns::namespace_identification_descriptors:
      return &namespace_id_descriptor_list;
    case cns::csi_namespace:
    case cns::csi_allocated_namespace:
      return nvm_set ? &identify_nvm_namespace : nullptr;
    case cns::csi_controller:
      return nvm_set ? &identify_nvm_controller : nullptr;
    case cns::csi_independent_namespace:
      return &identify_independent_namespace;
    case cns::attached_controller_list:
    case cns::controller_list:
      return &controller_list;
    case cns::io_command_set:
      return &command_set_combinations;
    default:
      return nullptr;
  }
}

const layout* log_data(log_page page) {
  switch (page) {
    case log_page::supported_log_pages:
      return &supported_log_pages;
    case log_page::error_information:
      return &error_log;
    case log_page::smart_health:
      return &smart_log;
    case log_page::firmware_slot:
      return &firmware_slot_log;
    case log_page::changed_namespace_list:
      return &changed_namespace_list;
    case log_page::commands_supported_and_effects:
      return &command_effects_log;
    case log_page::asymmetric_namespace_access:
      return &ana_log;
    case log_page::discovery:
      return &discovery_log;
    case log_page::reservation_notification:
      return &reservation_notification_log;
    case log_page::sanitize_status:
      return &sanitize_status_log;
    default:
      return nullptr;
  }
}

// A log page read from the middle has another layout: known for the pages that are entries only,
// and for the entries of the discovery log page.
const layout* log_data(byte_span sqe) {
  const auto page = static_cast<log_page>(byte_at(sqe, 40));
  const std::uint64_t offset = value_at(sqe, 48, 8);
  const bool by_index = (byte_at(sqe, 58) & 0x80) != 0;
  if (offset == 0) return log_data(page);
  if (by_index) return nullptr;
  if (page == log_page::error_information && offset % error_log_entry.size == 0) return &error_log;
  if (page == log_page::discovery && offset % discovery_entry.size == 0) {
    return &discovery_entry_list;
  }
  return nullptr;
}

const layout* admin_data(byte_span sqe) {
  const std::uint8_t select = byte_at(sqe, 40) & 0x0f;
  switch (static_cast<admin_opcode>(byte_at(sqe, 0))) {
    case admin_opcode::identify:
      return identify_data(sqe);
    case admin_opcode::get_log_page:
      return log_data(sqe);
    case admin_opcode::get_features:
    case admin_opcode::set_features: {
      const feature_form* f = find_feature(byte_at(sqe, 40));
      return f != nullptr ? f->data : nullptr;
    }
    case admin_opcode::namespace_management:
      return select == 0 ? &identify_namespace : nullptr;
    case admin_opcode::namespace_attachment:
      return &controller_list;
    default:
      return nullptr;
  }
}

const layout* nvm_data(byte_span sqe) {
  switch (static_cast<nvm_opcode>(byte_at(sqe, 0))) {
    case nvm_opcode::dataset_management:
      return &dsm_range_list;
    case nvm_opcode::copy:
      switch (byte_at(sqe, 49) & 0x0f) {
        case 0:
          return &copy_range0_list;
        case 1:
          return &copy_range1_list;
        default:
          return nullptr;
      }
    case nvm_opcode::reservation_register:
      return &reservation_register_data;
    case nvm_opcode::reservation_acquire:
      return &reservation_acquire_data;
    case nvm_opcode::reservation_release:
      return &reservation_release_data;
    case nvm_opcode::reservation_report:
      return (byte_at(sqe, 44) & 1) != 0 ? &reservation_status_extended_list
                                         : &reservation_status_list;
    default:
      return nullptr;
  }
}

}  // namespace

const layout& sqe_form(std::uint8_t opcode, bool admin_queue, std::uint8_t fctype) {
  if (const command_form* f = find_form(opcode, admin_queue, fctype); f != nullptr) return *f->sqe;
  return opcode == fabrics_opcode ? fabrics_command : sqe_layout;
}

const layout& sqe_form(byte_span sqe, bool admin_queue) {
  return sqe.empty() ? sqe_layout : sqe_form(byte_at(sqe, 0), admin_queue, byte_at(sqe, 4));
}

const layout& cqe_form(byte_span sqe, bool admin_queue, byte_span cqe) {
  const command_form* f = find_form(sqe, admin_queue);
  if (f == nullptr || cqe.size() < cqe_layout.size) return cqe_layout;
  const auto status = static_cast<std::uint16_t>((value_at(cqe, 14, 2) >> 1) & 0x7ff);
  const bool fabrics = byte_at(sqe, 0) == fabrics_opcode;
  if (status != 0) {
    if (f->sqe == &copy_command) return copy_response;
    if (!fabrics) return cqe_layout;
    const auto code = static_cast<fabrics_status_code>(status);
    return f->sqe == &connect_command && code == fabrics_status_code::connect_invalid_parameters
               ? connect_invalid_response
               : fabrics_response;
  }
  if (f->success == &features_response) return features_form(sqe);
  if (f->success == &property_get_response) return property_form(sqe);
  return f->success != nullptr ? *f->success : cqe_layout;
}

const layout* data_form(byte_span sqe, bool admin_queue) {
  if (sqe.empty()) return nullptr;
  if (byte_at(sqe, 0) == fabrics_opcode) {
    const auto type = static_cast<fabrics_type>(byte_at(sqe, 4));
    return type == fabrics_type::connect ? &connect_data : nullptr;
  }
  return admin_queue ? admin_data(sqe) : nvm_data(sqe);
}

}  // namespace nvmf::wire
